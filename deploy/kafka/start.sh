#!/bin/bash
# One node of Kafka: its store is made the first time, with the users in it, and then it runs.
# The users are named by a file, since arguments can be seen by everybody.
set -euo pipefail
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted \
    --cluster-id "$(cat /run/secrets/cluster-id)" --config /run/secrets/node.properties @/run/secrets/users.args
exec /opt/kafka/bin/kafka-server-start.sh /run/secrets/node.properties
