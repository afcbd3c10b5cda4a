"""Who a container's processes are and what they may do, from the pod's and the container's security contexts. Pure."""

from __future__ import annotations

from pybernetes.api.types.core_v1 import Pod, PodSecurityContext, SeccompProfile, SecurityContext
from pybernetes.kubelet.decide.observed import AnyContainer, Waiting
from pybernetes.kubelet.runtime import Image, Security


def container_security(pod: Pod, container: AnyContainer, image: Image) -> Security:
    """The container's own words win over the pod's, the pod's over the image's."""
    whole = pod.spec.security_context or PodSecurityContext()
    own = container.security_context or SecurityContext()
    user = own.run_as_user if own.run_as_user is not None else whole.run_as_user
    group = own.run_as_group if own.run_as_group is not None else whole.run_as_group
    groups = [*whole.supplemental_groups, *([whole.fs_group] if whole.fs_group is not None else [])]
    user_name = ""
    if user is None:
        # A group alone needs a user beside it; upstream takes the image's, which is root where it says nothing.
        user = image.user if image.user is not None or image.user_name else 0
        user_name = image.user_name if user is None else ""
    capabilities = own.capabilities
    escalation = own.allow_privilege_escalation
    return Security(
        user=user,
        user_name=user_name,
        group=group,
        groups=tuple(groups),
        privileged=bool(own.privileged),
        read_only_root=bool(own.read_only_root_filesystem),
        no_new_privileges=escalation is False,
        add_capabilities=tuple(capabilities.add) if capabilities else (),
        drop_capabilities=tuple(capabilities.drop) if capabilities else (),
        seccomp=_seccomp(own.seccomp_profile or whole.seccomp_profile),
        unmasked_proc=own.proc_mount == "Unmasked",
    )


def sandbox_security(pod: Pod) -> Security:
    """For the sandbox: the pod's context, privileged if any container is."""
    whole = pod.spec.security_context or PodSecurityContext()
    everyone = (*pod.spec.containers, *pod.spec.init_containers)
    privileged = any(each.security_context and each.security_context.privileged for each in everyone)
    groups = [*whole.supplemental_groups, *([whole.fs_group] if whole.fs_group is not None else [])]
    return Security(user=whole.run_as_user, group=whole.run_as_group, groups=tuple(groups), privileged=bool(privileged))


def _seccomp(profile: SeccompProfile | None) -> str:
    if profile is None:
        return "Unconfined"
    return f"Localhost/{profile.localhost_profile}" if profile.type == "Localhost" else profile.type


def root_refusal(pod: Pod, container: AnyContainer, security: Security) -> Waiting | None:
    """Why a container that must not run as root cannot be started; None when it can."""
    whole = pod.spec.security_context or PodSecurityContext()
    own = container.security_context or SecurityContext()
    forbidden = own.run_as_non_root if own.run_as_non_root is not None else whole.run_as_non_root
    if not forbidden or (security.user is not None and security.user != 0):
        return None
    meta = pod.metadata
    where = f'(pod: "{meta.name}_{meta.namespace}({meta.uid})", container: {container.name})'
    asked = own.run_as_user if own.run_as_user is not None else whole.run_as_user
    if asked == 0:
        text = f"container's runAsUser breaks non-root policy {where}"
    elif security.user_name:
        text = "container has runAsNonRoot and image has non-numeric user "
        text += f"({security.user_name}), cannot verify user is non-root {where}"
    else:
        text = f"container has runAsNonRoot and image will run as root {where}"
    return Waiting("CreateContainerConfigError", text)
