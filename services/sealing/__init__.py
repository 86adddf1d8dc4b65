"""Encryption of confidential fields at the door, the key store, keyed hashes, authorized opening."""
