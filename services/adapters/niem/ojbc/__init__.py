"""Tables of the Open Justice Broker Consortium (NIEM 3; LEXS 3.1 and N-DEx 2.1 on NIEM 2).

Source: github.com/ojbc/main, the service specifications of each exchange.
"""
