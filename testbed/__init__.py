"""The test kit, as product code: fakes and builders for Archer, later a real control plane on one machine."""
