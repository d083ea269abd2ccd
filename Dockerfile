# One image for all roles; the sub-command is the argument:
#   docker build -t zkwhirl . && docker run --rm zkwhirl --help
# scripts/image builds and tries it without Docker and without a registry.
ARG RUST=docker.io/library/rust:1-bookworm
ARG DEBIAN=docker.io/library/debian:bookworm-slim

FROM ${RUST} AS build
ARG PROFILE=release
WORKDIR /src
COPY . .
# Cargo goes by times: a target folder that is mounted from an earlier build may be
# newer than sources that have changed since.
RUN find . -name '*.rs' -exec touch {} + \
 && cargo build --locked --profile "${PROFILE}" -p zkwhirl --bin zkwhirl \
 && install -D -s "${CARGO_TARGET_DIR:-target}/$(echo "${PROFILE}" | sed s/^dev$/debug/)/zkwhirl" /out/zkwhirl

# The program, the libraries that it is linked with, the authorities that TLS
# trusts, and nothing else: no shell, no package manager.
FROM ${DEBIAN} AS files
RUN apt-get update -qq \
 && apt-get install -y -qq --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/zkwhirl /files/usr/local/bin/zkwhirl
RUN ldd /files/usr/local/bin/zkwhirl | grep -o '/[^ ]*' | while read -r library; do \
      install -D -m 755 "$(readlink -f "$library")" "/files$library"; done \
 && install -D -m 644 /etc/ssl/certs/ca-certificates.crt /files/etc/ssl/certs/ca-certificates.crt \
 && echo 'zkwhirl:x:65532:65532::/var/lib/zkwhirl:/sbin/nologin' >/files/etc/passwd \
 && echo 'zkwhirl:x:65532:' >/files/etc/group \
 && install -d -m 1777 /files/tmp \
 && install -d -o 65532 -g 65532 /files/var/lib/zkwhirl /files/var/lib/zkwhirl-keys

FROM scratch
COPY --from=files /files /
ENV DATA_DIR=/var/lib/zkwhirl
WORKDIR /var/lib/zkwhirl
USER 65532:65532
# No shell in between: PID 1 is the program, and SIGTERM reaches it.
ENTRYPOINT ["/usr/local/bin/zkwhirl"]
CMD ["--help"]
