"""Where digit-server listens: UNIX sockets, IPv4 and IPv6, TLS; and gRPC's own settings."""
import pathlib
import signal
import socket
import subprocess

import bundles
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("affine")
    bundles.affine(folder, 1)
    return folder


def check(target, credentials=None, options=(), **arguments):
    options = [("grpc.use_local_subchannel_pool", 1), *options]
    channel = (grpc.insecure_channel(target, options) if credentials is None
               else grpc.secure_channel(target, credentials, options))
    with channel:
        return health_pb2_grpc.HealthStub(channel).Check(
            health_pb2.HealthCheckRequest(), timeout=10, **arguments).status


def refused(*arguments, **options):
    with pytest.raises(grpc.RpcError) as raised:
        check(*arguments, **options)
    return raised.value.code()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_addresses(start_server, model, host):
    if host == "[::1]" and not pathlib.Path("/proc/net/if_inet6").exists():
        pytest.skip("no IPv6 here")
    server = start_server("affine", model)
    assert check(f"{host}:{server.port}") == 1


# ---- UNIX sockets --------------------------------------------------------------------------------

def test_socket_beside_the_port(start_server, model, tmp_path):
    path = tmp_path / "socket"
    server = start_server("affine", model, f"--grpc_socket_path={path}")
    server.wait_for_log("listening on")     # the socket is made after the port
    assert check(f"unix:{path}") == check(f"localhost:{server.port}") == 1
    assert server.stop() == 0
    assert not path.exists()


def test_stale_socket_is_replaced(start_server, model, tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    assert path.is_socket()
    start_server("affine", model, f"--grpc_socket_path={path}").wait_for_log("listening on")
    assert check(f"unix:{path}") == 1


@pytest.mark.parametrize("name, said", [
    ("missing/socket", "No such file or directory"),
    ("a-file", "Address already in use"),
    ("x" * 200, "the system allows 107"),
])
def test_socket_that_cannot_be_made(start_server, model, tmp_path, name, said):
    """Is a warning beside a port, and what was there stays."""
    (tmp_path / "a-file").write_text("mine")
    server = start_server("affine", model, f"--grpc_socket_path={tmp_path / name}")
    assert check(f"localhost:{server.port}") == 1
    server.wait_for_log("listening on")
    warning, = [line for line in server.log.splitlines() if "cannot listen on socket" in line]
    assert "WARNING" in warning and said in warning
    assert (tmp_path / "a-file").read_text() == "mine"


def start_alone(build, model, *flags):
    return subprocess.Popen([build / "server/digit-server", "--port=0", "--model_name=affine",
                             f"--model_base_path={model}", *flags],
                            stderr=subprocess.PIPE, text=True)


def test_socket_alone(build, model, tmp_path):
    path = tmp_path / "socket"
    process = start_alone(build, model, f"--grpc_socket_path={path}")
    try:
        assert check(f"unix:{path}", wait_for_ready=True) == 1
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0, process.stderr.read()
        process.stderr.close()


@pytest.mark.parametrize("flags, said", [
    ([], "At least one of --port and --grpc_socket_path must be set"),
    (["--grpc_socket_path=/nowhere/socket"], "cannot listen on socket /nowhere/socket: No such file"),
    (["--grpc_socket_path=s", "--use_alts_credentials"], "ALTS"),
    (["--grpc_socket_path=s", "--grpc_channel_arguments=x"], '"x" must be KEY=VALUE'),
    (["--grpc_socket_path=s", "--ssl_config_file=/nowhere/tls"], "/nowhere/tls"),
])
def test_what_ends_the_start(build, model, tmp_path, flags, said):
    with start_alone(build, model, *flags) as process:
        assert process.wait(20) != 0
        assert said in process.stderr.read()


# ---- gRPC's own settings -------------------------------------------------------------------------

def test_channel_arguments(start_server, model):
    """An integer that is seen to work, a string and one that gRPC does not know."""
    server = start_server("affine", model, "--grpc_channel_arguments=grpc.max_receive_message_length"
                          "=100,,grpc.primary_user_agent=digit,no.such=-1,")
    assert check(f"localhost:{server.port}") == 1
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        call = channel.unary_unary("/grpc.health.v1.Health/Check")
        with pytest.raises(grpc.RpcError) as raised:
            call(b"\x0a\x7f" + b"x" * 127, timeout=10)
        assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


# ---- TLS -----------------------------------------------------------------------------------------

def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """pki(name): PEM text of ca, server.crt, server.key, client.crt, client.key; stranger.* are
    signed by nobody."""
    folder = tmp_path_factory.mktemp("pki")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("ca", "stranger"):
        openssl(folder, "req", "-x509", *ec, "-keyout", f"{name}.key", "-out", f"{name}.crt",
                "-days", "2", "-subj", f"/CN={name}")
    for name in ("server", "client"):
        openssl(folder, "req", *ec, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj",
                f"/CN={name}")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-out", f"{name}.crt", "-extfile", "names")
    return lambda name: (folder / name).read_bytes()


def tls_config(path, **fields):
    lines = []
    for key, value in fields.items():
        if isinstance(value, bytes):
            value = '"' + value.decode().replace("\n", "\\n") + '"'
        lines.append(f"{key}: {value}\n")
    path.write_text("".join(lines))
    return f"--ssl_config_file={path}"


def identity(pki, name):
    return {"private_key": pki(f"{name}.key"), "certificate_chain": pki(f"{name}.crt")}


def test_tls(start_server, model, pki, tmp_path):
    server = start_server("affine", model, tls_config(
        tmp_path / "tls", server_key=pki("server.key"), server_cert=pki("server.crt")))
    target = f"localhost:{server.port}"
    assert check(target, grpc.ssl_channel_credentials(pki("ca.crt"))) == 1
    assert refused(target) == grpc.StatusCode.UNAVAILABLE
    assert refused(target, grpc.ssl_channel_credentials(pki("stranger.crt"))) == \
        grpc.StatusCode.UNAVAILABLE
    assert "PRIVATE" not in server.log and "with TLS" in server.log


def test_tls_of_both_sides(start_server, model, pki, tmp_path):
    server = start_server("affine", model, tls_config(
        tmp_path / "tls", server_key=pki("server.key"), server_cert=pki("server.crt"),
        custom_ca=pki("ca.crt"), client_verify="true"))
    target = f"localhost:{server.port}"
    known = grpc.ssl_channel_credentials(pki("ca.crt"), **identity(pki, "client"))
    assert check(target, known) == 1
    assert refused(target, grpc.ssl_channel_credentials(pki("ca.crt"))) == \
        grpc.StatusCode.UNAVAILABLE
    stranger = grpc.ssl_channel_credentials(pki("ca.crt"), **identity(pki, "stranger"))
    assert refused(target, stranger) == grpc.StatusCode.UNAVAILABLE
    assert check(target, known) == 1


@pytest.mark.parametrize("fields, said", [
    ({}, "server_key and server_cert must both be there"),
    ({"server_key": b"a key"}, "server_key and server_cert must both be there"),
    ({"server_key": b"a key", "server_cert": b"no PEM"}, "no PEM texts that belong together"),
    ({"server_key": b"a key", "server_cert": b"c", "client_verify": "true"}, "custom_ca"),
    ({"server_kez": b"a key"}, "SSLConfig"),
])
def test_bad_tls_files(build, model, tmp_path, fields, said):
    port = socket.create_server(("127.0.0.1", 0))
    number = port.getsockname()[1]
    port.close()
    result = subprocess.run(
        [build / "server/digit-server", f"--port={number}", "--model_name=affine",
         f"--model_base_path={model}", tls_config(tmp_path / "tls", **fields)],
        capture_output=True, text=True, timeout=30)
    assert result.returncode != 0
    assert said in result.stderr and "a key" not in result.stderr
