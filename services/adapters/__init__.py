"""Documents that agencies already exchange, read into events of the contract."""
