/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sockets.c - pipe and socket buffers filled and emptied: unmovable pages, of
 * orders up to 3 for large messages, and the slab caches of the network.
 */
#include <fcntl.h>
#include <sys/socket.h>

#include "load.h"

enum { PAIRS = 32, LARGEST = 96 << 10, SEND_BUFFER = 1 << 20 };

enum kind { PIPE, STREAM, DATAGRAM, KINDS };

static char buffer[LARGEST];

static void open_pair(struct load *w, int fd[2], enum kind kind)
{
	int size = SEND_BUFFER;

	if (kind == PIPE) {
		load_need(!pipe2(fd, O_NONBLOCK | O_CLOEXEC), "pipe2");
		(void)fcntl(fd[1], F_SETPIPE_SZ, PAGE << load_random(w, 9));
		return;
	}
	load_need(!socketpair(AF_UNIX,
			      (kind == STREAM ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK |
				      SOCK_CLOEXEC,
			      0, fd),
		  "socketpair");
	setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static void fill(struct load *w, int fd)
{
	unsigned long writes = 1 + load_random(w, 24);

	while (writes-- && write(fd, buffer, 1 + load_random(w, LARGEST)) > 0)
		;
}

static void drain(struct load *w, int fd)
{
	unsigned long reads = 1 + load_random(w, 24);

	while (reads-- && read(fd, buffer, LARGEST) > 0)
		;
}

int main(int argc, char **argv)
{
	struct load w = load_begin(argc, argv, 6000);
	int pairs[PAIRS][2];

	for (int i = 0; i < PAIRS; i++)
		open_pair(&w, pairs[i], (enum kind)(i % KINDS));
	for (unsigned long r = 0; r < w.rounds; r++) {
		unsigned long i = load_random(&w, PAIRS);

		switch (load_random(&w, 8)) {
		case 0:
			close(pairs[i][0]);
			close(pairs[i][1]);
			open_pair(&w, pairs[i], (enum kind)(i % KINDS));
			break;
		case 1 ... 4:
			fill(&w, pairs[i][1]);
			break;
		default:
			drain(&w, pairs[i][0]);
		}
	}
	return 0;
}
