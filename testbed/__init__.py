"""The test kit, as product code: a real control plane on one machine, an operator's stand-in, fakes and builders."""
