# digit-server in a small image: built on Debian, then only what the server needs.
#   docker build -t digit-server .
#   docker run -p 8500:8500 -p 8501:8501 digit-server
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/install.sh scripts/install.sh
RUN scripts/install.sh build
COPY . .
RUN meson setup build --buildtype=release && ninja -C build
# The server, stripped, cp for the job that puts the bundle on a volume (k8s/seed), and the shared
# libraries that they load, at the paths where they look for them.
RUN install -D -s build/server/digit-server /out/usr/bin/digit-server \
 && cp /usr/bin/cp /out/usr/bin/cp \
 && ldd /out/usr/bin/digit-server /out/usr/bin/cp \
    | awk '$2 == "=>" && $3 ~ "^/" { print $3 } $1 ~ "^/" && $2 ~ "^\\(" { print $1 }' | sort -u \
    | xargs cp --parents -L -t /out \
 && mkdir -p /out/models /out/etc \
 && cp -r models/digits /out/models/digits \
 && echo 'nobody:x:65534:65534::/:/' >/out/etc/passwd \
 && echo 'nogroup:x:65534:' >/out/etc/group

FROM scratch
COPY --from=build /out /
USER 65534:65534
EXPOSE 8500 8501
# Arguments of `docker run` replace the four flags.
ENTRYPOINT ["/usr/bin/digit-server"]
CMD ["--port=8500", "--rest_api_port=8501", "--model_name=digits", "--model_base_path=/models/digits"]
