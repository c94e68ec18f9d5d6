#!/bin/sh
# The first process of the kernel booted for a test: the host's files read-only, memory over what must be written.
# CHECKOUT, PYTHON, OUT and STORY come from the kernel's command line.
mount -t proc proc /proc
mount -t sysfs sysfs /sys
for place in /run /mnt; do mount -t tmpfs tmpfs "$place"; done
mkdir -p /mnt/out /mnt/tmp /mnt/lib /run/netns
mount -t hostfs -o "$OUT" none /mnt/out
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/mnt TMPDIR=/mnt/tmp PYTHONDONTWRITEBYTECODE=1
ln -s /usr/lib/uml/modules /mnt/lib/modules
for module in xfrm_user af_key esp4 ah4 veth hmac cbc authenc echainiv drbg sha512_generic; do
  modprobe -d /mnt "$module" 2>>/mnt/out/modules.txt
done
ip link set lo up
cd "$CHECKOUT"
PYTHONPATH="$CHECKOUT:$CHECKOUT/exporter:$CHECKOUT/parsers" "$PYTHON" -m "$STORY" /mnt/out >/mnt/out/output.txt 2>&1
echo $? >/mnt/out/status
sync
exec "$PYTHON" -c 'import ctypes; ctypes.CDLL(None).reboot(0x4321FEDC)'
