"""The live page: what is owed now, and every alert as it comes, for people."""
