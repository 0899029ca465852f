"""The Kubernetes client's reader of kubeconfigs, with our way to run a login plugin; loaded late, since it is slow."""

from __future__ import annotations

from typing import Any

from kubernetes.config.dateutil import parse_rfc3339
from kubernetes.config.kube_config import FileOrData, KubeConfigLoader

from ksconfig.source.cluster.plugin import credentials, unfit


class Loader(KubeConfigLoader):
    """Also called by the client again when a token has run out."""

    def _load_user_token(self) -> bool:
        found = bool(super()._load_user_token())  # type: ignore[no-untyped-call]
        if found:
            self.token = str(self.token).rstrip()  # most files end with a line break, and kubectl takes it off
        return found

    def _load_from_exec_plugin(self) -> bool:
        user: Any = self._user
        cluster: Any = self._cluster
        if not user.safe_get("exec"):
            return False
        folder = self._get_base_path(cluster.path)  # type: ignore[no-untyped-call]
        status = credentials(user["exec"].value, folder or None, cluster.value)
        if "token" in status:
            self.token = f"Bearer {status['token']}"
        else:
            self.cert_file = _file(status, "clientCertificateData")
            self.key_file = _file(status, "clientKeyData")
        if "expirationTimestamp" in status:
            try:
                self.expiry = parse_rfc3339(status["expirationTimestamp"])  # type: ignore[no-untyped-call]
            except Exception:  # it raises what it likes
                raise unfit(user["exec"]["command"], "gave an expirationTimestamp that is no time") from None
        return True


def _file(status: Any, name: str) -> Any:
    return FileOrData(status, None, data_key_name=name, base64_file_content=False).as_file()  # type: ignore[no-untyped-call]
