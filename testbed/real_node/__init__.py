"""A real node beside a control plane: kubelet, containerd and runc run pods on this machine, in namespaces of their own."""
