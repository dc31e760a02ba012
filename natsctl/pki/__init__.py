"""Keys, certificate authorities and certificates, with cfssl's files and results.

Everything here works on bytes and values, told what time it is; only `natsctl.pki.files` touches the disk.

The rooms:

- `documents` reads cfssl's JSON, `lifetimes` durations;
- `keys` makes and loads private keys, `names` turns hosts and subjects into X.509 names;
- `usages` and `profiles` say what a certificate is for, `template` writes that into one;
- `request` makes CSRs, `authority` signs them, `renewal` signs again;
- `certificates` reads and describes, `certinfo` does so in cfssl's words;
- `verify` finds what a peer would object to, `advice` what an operator should know before.
"""
