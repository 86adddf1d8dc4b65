"""NIEM exchange documents (New Orleans JTMP, OJBC) read into events."""
