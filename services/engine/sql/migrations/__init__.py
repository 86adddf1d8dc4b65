"""How the tables of the SQL store came to be what they are; run by alembic."""
