#!/usr/bin/env bash
# Makes the Go code of pay.proto again. Needs protoc (Debian: protobuf-compiler);
# what protoc calls is built here, by version.
set -euo pipefail
cd "$(dirname "$0")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
for tool in \
  google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12 \
  google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2 \
  github.com/knqyf263/go-plugin/cmd/protoc-gen-go-plugin@v0.9.0; do
  (cd / && GOBIN="$tools" go install "$tool")
done
PATH="$tools:$PATH"
package=Mpay.proto=github.com/payhost/payhost/bench/peers/pb
protoc --go_out=grpcpb --go_opt="paths=source_relative,$package/grpcpb" \
  --go-grpc_out=grpcpb --go-grpc_opt="paths=source_relative,$package/grpcpb" pay.proto
protoc --go-plugin_out=vtpb --go-plugin_opt="paths=source_relative,$package/vtpb" pay.proto
