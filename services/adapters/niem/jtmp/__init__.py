"""Tables of the Justice Technology Modernization Program of New Orleans (NIEM 5).

Source: CityOfNewOrleans/JTMP-Data-Exchange-Specs, the schemas and message descriptions of each exchange.
"""
