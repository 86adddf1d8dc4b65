#!/bin/bash
# PostgreSQL that is reached by TLS and password alone. It wants a key that is its own user's, and nobody else's.
set -euo pipefail
install -d -o postgres -g postgres -m 700 /run/tls
install -o postgres -g postgres -m 600 /run/secrets/database.pem /run/tls/database.pem
exec docker-entrypoint.sh postgres \
    -c ssl=on -c ssl_cert_file=/run/tls/database.pem -c ssl_key_file=/run/tls/database.pem \
    -c ssl_min_protocol_version=TLSv1.3 -c password_encryption=scram-sha-256 -c hba_file=/etc/ccr/pg_hba.conf
