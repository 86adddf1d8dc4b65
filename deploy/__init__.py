"""How the backbone is run: its image, the parts of docker-compose.yml, and what is watched."""
