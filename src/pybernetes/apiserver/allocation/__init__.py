"""What Services get from common pools: ClusterIPs and node ports."""
