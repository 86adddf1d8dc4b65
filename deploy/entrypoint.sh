#!/bin/sh
# Secrets are mounted readable; the master key and libpq's password file must be their user's own.
set -eu
umask 077
for secret in /run/secrets/*; do
    cp "$secret" /run/ccr/
done
exec ccr "$@"
