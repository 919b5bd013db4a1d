boot=$(cat /proc/sys/kernel/random/uuid)        # new at each start of the process
curl --fail --silent --show-error "$OVERVIEW/api/v1/heartbeats" \
    --header "Authorization: Bearer $(cat "$TOKEN_FILE")" --json @- <<END
{ "server": "app-1", "role": "service", "version": "1.2.3", "ip": "10.0.0.11",
  "os": { "name": "$(uname -s)", "version": "$(uname -r)" },
  "boot_id": "$boot", "sequence": $(date +%s%3N) }
END
