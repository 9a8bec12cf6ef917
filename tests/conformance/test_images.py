import http.client
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import image_spec
import oci_layout
import oci_registry
import pytest

NAME = "registry.k8s.io/e2e-test-images/agnhost:2.0"
OTHER = "docker.io/library/two:latest"


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    layer = tmp_path / "layer.tar"
    with tarfile.open(layer, "w") as tar:
        tar.add(__file__, "file")
    rows: list[image_spec.Row] = [([NAME], ["layer"], {}), ([OTHER], ["layer"], {"User": "1"})]
    oci_layout.write_layout(image_spec.spec(tmp_path, rows), tmp_path / "layout", "amd64")
    return tmp_path / "layout"


@pytest.fixture
def connection(layout: Path) -> Iterator[http.client.HTTPConnection]:
    server = oci_registry.server(layout, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    client = http.client.HTTPConnection("127.0.0.1", server.server_port)
    yield client
    client.close()
    server.shutdown()
    server.server_close()


def get(client: http.client.HTTPConnection, path: str, method: str = "GET") -> tuple[int, bytes]:
    client.request(method, path)
    answer = client.getresponse()
    return answer.status, answer.read()


def test_a_layer_of_two_images_is_stored_once(layout: Path) -> None:
    # one layer, two configurations, two manifests
    assert len(list((layout / "blobs/sha256").iterdir())) == 5


def test_manifest_by_tag_and_digest_then_its_blobs(connection: http.client.HTTPConnection) -> None:
    status, body = get(connection, "/v2/e2e-test-images/agnhost/manifests/2.0")
    manifest = json.loads(body)
    assert status == 200
    for blob in (manifest["config"], *manifest["layers"]):
        status, content = get(connection, f"/v2/anything/blobs/{blob['digest']}")
        assert (status, len(content)) == (200, blob["size"])


def test_the_registry_of_a_name_does_not_count(connection: http.client.HTTPConnection) -> None:
    assert get(connection, "/v2/library/two/manifests/latest", "HEAD") == (200, b"")
    assert get(connection, "/v2/library/three/manifests/latest")[0] == 404
    assert get(connection, "/v2/x/blobs/sha256:../../../etc/passwd")[0] == 404


def test_full_set_contains_the_minimal_one() -> None:
    assert image_spec.FULL[: len(image_spec.MINIMAL)] == image_spec.MINIMAL
    names = [name for row in image_spec.FULL for name in row[0]]
    assert len(names) == len(set(names))
