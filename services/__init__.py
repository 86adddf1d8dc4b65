"""The backbone's services, one folder each; `services.engine` holds the ports and the engines below them."""
