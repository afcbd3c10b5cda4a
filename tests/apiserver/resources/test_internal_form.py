"""Changes of what cannot be changed, as people are shown them."""

from __future__ import annotations

import msgspec

from pybernetes.api.types.core_v1 import PersistentVolumeClaimSpec, PodSpec
from pybernetes.apiserver.resources.validation.internal_form import difference, internal


def spec(**fields) -> PodSpec:
    return msgspec.convert({"containers": [{"name": "c"}], **fields}, PodSpec)


def test_a_difference_names_fields_as_go_does():
    assert difference(spec(hostNetwork=True), spec(hostname="<h>")).splitlines() == [
        "@@ -44,7 +44,7 @@",
        '  "AutomountServiceAccountToken": null,',
        '  "NodeName": "",',
        '  "SecurityContext": {',
        '-  "HostNetwork": true,',
        '+  "HostNetwork": false,',
        '   "HostPID": false,',
        '   "HostIPC": false,',
        '   "ShareProcessNamespace": null,',
        "@@ -64,7 +64,7 @@",
        '   "SELinuxChangePolicy": null',
        "  },",
        '  "ImagePullSecrets": null,',
        '- "Hostname": "",',
        r'+ "Hostname": "\u003ch\u003e",',
        '  "Subdomain": "",',
        '  "SetHostnameAsFQDN": null,',
        '  "Affinity": null,',
    ]


def test_parts_that_are_alike_have_no_difference():
    assert difference(spec(), spec()) == ""


def test_amounts_and_selectors_are_shown_as_in_json():
    claim = msgspec.convert(
        {"selector": {"matchLabels": {"a": "b"}}, "resources": {"requests": {"storage": "1Gi"}}},
        PersistentVolumeClaimSpec,
    )
    shown = internal(msgspec.to_builtins(claim), "io.k8s.api.core.v1.PersistentVolumeClaimSpec")
    assert shown["Selector"] == {"matchLabels": {"a": "b"}}
    assert shown["Resources"] == {"Limits": None, "Requests": {"storage": "1Gi"}}
    assert (shown["AccessModes"], shown["VolumeName"], shown["StorageClassName"]) == (None, "", None)
