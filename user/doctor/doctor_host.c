/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* doctor_host.c - the kernel's release and the rules it applies to us. */
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor/doctor.h"

bool doctor_has_capability(unsigned int capability)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (syscall(SYS_capget, &head, data))
		return false;
	return data[capability / 32].effective >> (capability % 32) & 1;
}

void doctor_kernel(const void *arg, struct doctor_finding *f)
{
	struct utsname u;
	bool x86;

	(void)arg;
	if (uname(&u)) {
		doctor_failed(f, errno, "cannot tell the kernel's release");
		return;
	}
	x86 = !strcmp(u.machine, "x86_64");
	if (x86)
		doctor_found(f, "%s %s", u.release, u.machine);
	else
		doctor_failed(f, ENOTSUP, "%s %s", u.release, u.machine);
}

/* @arg: the capability's number. CAP_SYS_ADMIN comprises the newer ones. */
void doctor_capability(const void *arg, struct doctor_finding *f)
{
	unsigned int capability = (unsigned int)(uintptr_t)arg;

	if (doctor_has_capability(capability))
		doctor_found(f, "effective");
	else if (capability != CAP_SYSLOG && doctor_has_capability(CAP_SYS_ADMIN))
		doctor_found(f, "comprised in CAP_SYS_ADMIN");
	else
		doctor_refused(f, "not effective");
}

void doctor_lockdown(const void *arg, struct doctor_finding *f)
{
	char text[128];
	int err = doctor_read("/sys/kernel/security/lockdown", text, sizeof(text));

	(void)arg;
	if (err == -ENOENT)
		doctor_found(f, "not visible, or not in this kernel");
	else if (err)
		doctor_failed(f, -err, "cannot read /sys/kernel/security/lockdown");
	else if (strstr(text, "[confidentiality]"))
		doctor_refused(f, "%s: programs may not read kernel memory", text);
	else
		doctor_found(f, "%s: does not stand in the way", text);
}

void doctor_unprivileged_bpf(const void *arg, struct doctor_finding *f)
{
	char text[32];
	int err = doctor_read("/proc/sys/kernel/unprivileged_bpf_disabled", text, sizeof(text));

	(void)arg;
	if (err)
		doctor_failed(f, -err, "cannot read the sysctl");
	else if (doctor_has_capability(CAP_BPF) || doctor_has_capability(CAP_SYS_ADMIN))
		doctor_found(f, "unprivileged_bpf_disabled=%s; CAP_BPF is exempt", text);
	else
		doctor_refused(f, "%s: unprivileged BPF is off, and no CAP_BPF", text);
}

void doctor_perf_paranoid(const void *arg, struct doctor_finding *f)
{
	char text[32];
	int err = doctor_read("/proc/sys/kernel/perf_event_paranoid", text, sizeof(text));

	(void)arg;
	if (err)
		doctor_failed(f, -err, "cannot read the sysctl");
	else if (doctor_has_capability(CAP_PERFMON) || doctor_has_capability(CAP_SYS_ADMIN))
		doctor_found(f, "perf_event_paranoid=%s; CAP_PERFMON is exempt", text);
	else if (strtol(text, NULL, 10) < 0)
		doctor_found(f, "perf_event_paranoid=%s: everybody may", text);
	else
		doctor_refused(f, "%s: perf events are restricted, and no CAP_PERFMON", text);
}
