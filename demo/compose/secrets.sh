#!/bin/sh
# Creates the secrets of docker-compose.yml in .demo/secrets and keeps existing ones. Run it once.
set -eu
cd "$(dirname "$0")/../.."
umask 077
mkdir -p .demo/secrets
cd .demo/secrets
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
# Only the owner can open the folder. The files are world-readable because containers read them as their own users.
put() { [ -s "$1" ] || { printf '%s' "$2" >"$1"; chmod 644 "$1"; }; }
for name in postgres-password agent-password application-password grafana-password; do put "$name" "$(random)"; done
for environment in staging production; do
  put "$environment-agent-url" "postgres://sti_agent:$(cat agent-password)@postgres:5432/$environment"
  put "$environment-application-url" "postgres://vehicles_app:$(cat application-password)@postgres:5432/$environment"
  for token in viewer editor admin flag webhook; do put "$environment-$token" "$(random)"; done
  put "$environment-you" "$(random)"
  put "$environment-personal" "you:admin:$(cat "$environment-you")"
done
# The signing key of each agent, and the public keys that both agents trust.
key() { openssl pkey -in "$1-signing-key" -pubout -outform DER | tail -c 32 | openssl base64 -A | tr '+/' '-_' | tr -d '='; }
jwk() { printf '{"kty":"OKP","crv":"Ed25519","x":"%s","environment":"%s"}' "$(key "$1")" "$1"; }
for environment in staging production; do put "$environment-signing-key" "$(openssl genpkey -algorithm ed25519)"; done
put trusted-keys "{\"keys\":[$(jwk staging),$(jwk production)]}"
cat >sti.yaml <<CONFIG
environments:
  staging: { url: http://127.0.0.1:8090, tokenFile: staging-you }
  production: { url: http://127.0.0.1:8091, tokenFile: production-you }
CONFIG
echo "The secrets are in .demo/secrets; the terminal's configuration is .demo/secrets/sti.yaml"
