"""The configuration: every name is known, every value of its kind; and TLS with certificates of both sides."""

import subprocess

import pytest

from fsrcnn_np.errors import OptionError
from fsrcnn_np.pacs.peer import is_loopback
from fsrcnn_np.pacs.receiving import is_treated
from fsrcnn_np.pacs.settings import Settings, Treat, load_settings
from fsrcnn_np.pacs.whole import Facts
from pacs_peers import mammogram, queue, run, save, until

NOBODY = "ARCHIVE@127.0.0.1:9"


def test_the_documented_defaults_are_the_defaults(tmp_path):
    from pacs_peers import ROOT

    text = (ROOT / "docs" / "dicom.md").read_text(encoding="utf-8")
    path = tmp_path / "a.toml"
    path.write_text(text.split("```toml\n")[1].split("```")[0])
    assert load_settings(path) == load_settings(None) == Settings()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[treat", "no TOML"),
        ("[treet]", "unknown 'treet'; allowed are [treat], [forward]"),
        ("treat = 1", "treat is no table"),
        ("[limits]\nassociation = 1", "unknown 'association' in [limits]"),
        ("[limits]\nassociations = '1'", "associations in [limits] is '1'; allowed is a whole number from 0"),
        ("[limits]\nassociations = true", "allowed is a whole number"),
        ("[limits]\nassociations = 0", "associations from 1"),
        ("[limits]\nidle_seconds = -1.0", "allowed is a number from 0"),
        ("[limits]\nidle_seconds = 0", "idle_seconds in [limits] is 0; give 0.1 or more"),
        ("[limits]\nidle_seconds = inf", "is inf; allowed is a number from 0 to 100000000"),
        ("[limits]\ndrain_seconds = 1e300", "allowed is a number from 0 to 100000000"),
        ("[forward]\nfirst_wait_seconds = nan", "is nan; allowed is a number"),
        ("[keep]\ndays = inf", "allowed is a number from 0"),
        ("[limits]\nobject_bytes = 1000000000000000000000", "allowed is a whole number from 0 to"),
        ("[forward]\nrest = 1", "allowed is true or false"),
        ("[treat]\nmodalities = 'MG'", "allowed is a list of texts"),
        ("[commitment]\nhow = 'hope'", "allowed are commitment, query, qido, none"),
        ("[commitment]\nhow = 'qido'", "needs qido_url"),
        ("[commitment]\nqido_url = 'file:///etc'", "is no http:// or https:// address"),
    ],
)
def test_what_is_wrong_is_named(text, told, tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(OptionError) as found:
        load_settings(path)
    assert str(found.value).startswith(f"{path}: ")
    assert told in str(found.value)


@pytest.mark.parametrize(
    ("changed", "treated"),
    [
        ({}, True),
        ({"sop_class": "1.2.840.10008.5.1.4.1.1.1.2.1"}, False),
        ({"modality": "CR"}, False),
        ({"intent": "FOR PROCESSING"}, False),
        ({"ours": True}, False),
    ],
)
def test_which_objects_are_treated(changed, treated):
    facts = Facts(*Treat().sop_classes, "1.2", "1.2.840.10008.1.2", "", "", "MG", "FOR PRESENTATION", False, 1, "")
    assert is_treated(facts._replace(**changed), Treat()) is treated
    everything = Treat(sop_classes=(), modalities=(), presentation_intents=())
    assert is_treated(facts._replace(**changed), everything) is not changed.get("ours", False)


@pytest.mark.parametrize(
    ("host", "own"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False), ("::", False)]
)
def test_loopback(host, own):
    assert is_loopback(host) is own


def certificates(folder):
    """An authority, and a certificate of it for 127.0.0.1."""

    def openssl(*words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60, cwd=folder)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")
    openssl("req", *key[:-2], "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=here")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    openssl("x509", "-req", "-in", "own.csr", *signed, "-out", "own.pem")
    words = {"certificate": "own.pem", "key": "own.key", "authority": "ca.pem"}
    return [word for name, file in words.items() for word in (f"--tls-{name}", str(folder / file))]


def test_tls_with_certificates_of_both_sides(serve, tmp_path):
    tls = certificates(tmp_path)
    nothing = {"forward": {"originals": False, "rest": False}, "treat": {"modalities": ["none"]}}
    service = serve(NOBODY, *tls, tables=nothing | {"limits": {"idle_seconds": 3.0}})
    path, peer = save(mammogram(1), tmp_path / "a.dcm"), f"SR@127.0.0.1:{service.port}"
    assert "takes no association" in run("send", path, peer, "--tries", "1", status=1, process=True)  # without TLS
    assert queue(tmp_path / "store")[0] == []
    assert run("send", path, peer, *tls, process=True) == f"{path}: sent\n"
    until(lambda: len(queue(tmp_path / "store")[0]) == 1)
    assert "go together" in run("send", path, peer, *tls[:2], status=2)


def test_commands_without_a_store_or_a_file(tmp_path):
    assert "no store of `fsrcnn-np dicom serve`" in run("queue", tmp_path, status=2)
    words = ["serve", "--ae-title", "SR", "--store", tmp_path / "s", "--forward", NOBODY]
    assert "none.toml" in run(*words, "--config", tmp_path / "none.toml", status=2)
    assert "TOOLONG" in run(*words[:2], "TOOLONGATITLEOFOURS", *words[3:], status=2)
