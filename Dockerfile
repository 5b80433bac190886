# docker build -t parlour .
# docker run -p 127.0.0.1:8000:8000 -v parlour:/data -e TRUSTED_PROXIES=172.16.0.0/12 parlour
#
# Inside a container Parlour listens on every address, so it wants to know who does TLS: a reverse proxy
# (TRUSTED_PROXIES, as above) or Parlour itself (TLS_CERT and TLS_KEY). It says so when neither is set.

FROM rust:1.95-slim-bookworm AS build
# SQLite, libpq and OpenSSL (for TLS to PostgreSQL) are built from source; OpenSSL wants perl and make for that.
RUN apt-get update \
    && apt-get install -y --no-install-recommends make perl \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --profile dist --locked --features pg-tls \
    && install -D target/dist/parlour /out/parlour

FROM debian:bookworm-slim
# The certificate authorities, for sslmode=verify-full to PostgreSQL.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 parlour \
    && useradd --uid 10001 --gid parlour --no-create-home --home-dir /data --shell /usr/sbin/nologin parlour \
    && install -d -o parlour -g parlour -m 0700 /data
COPY --from=build /out/parlour /usr/local/bin/parlour
ENV HOST=0.0.0.0 PORT=8000 DATA_DIR=/data SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER parlour
WORKDIR /data
VOLUME /data
EXPOSE 8000
# The server takes SIGTERM itself and drains within 15 seconds: give `docker stop` that long (--time 20).
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["parlour", "doctor", "--health"]
ENTRYPOINT ["parlour"]
CMD ["serve"]
