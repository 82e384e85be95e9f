/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pcp.pml - two CPUs, their page lists, one zone: who may touch what, when.
 *
 *   pcp_lock[cpu]  that CPU's list. Its own CPU only tries it, and goes straight
 *                  to the zone when it is taken; a drain from elsewhere waits.
 *   zone_lock      the free pages. Taken inside a pcp_lock, never around one.
 *
 * A list is a set of pages, a bit each. What refmm does in several instructions
 * (read a list, pick a page, write the list) is several steps here, so a missing
 * lock shows as a page on two lists, or on none. Each CPU allocates, frees, and
 * drains both lists, for ever and in any order.
 *
 * Proved by spin's search of all interleavings:
 *   no deadlock			(no invalid end state)
 *   a page is in one place		(asserted by `init`, after every step)
 *   none is lost			(the same)
 *
 * Broken on purpose by -DBUG=n, which spin must find:
 *   1  a drain does not take the other CPU's pcp_lock: pages on two lists
 *   2  a drain takes the zone lock first: deadlock
 *   3  a free that does not get the lock uses the list all the same
 *   4  a refill does not take the zone lock
 *
 * Answers to refmm/pcp.h, pcp.c, alloc.c (rmqueue), free.c; mm/page_alloc.c.
 */
#ifndef PAGES
#define PAGES 3
#endif
#ifndef BUG
#define BUG 0
#endif
#define BATCH 2
#define HIGH  2
#define ALL   ((1 << PAGES) - 1)
#define BIT(p) (1 << (p))

byte zone = ALL;	/* on the buddy lists */
byte list[2];		/* on a CPU's list */
byte moving[2];		/* off one list, not yet on the next; by who moves it */
byte used[2];		/* held by who allocated it */
bit pcp_lock[2], zone_lock;

#define ONE_PLACE                                                              \
	((zone & list[0]) == 0 && (zone & list[1]) == 0 &&                     \
	 (list[0] & list[1]) == 0 && (used[0] & used[1]) == 0 &&               \
	 ((zone | list[0] | list[1]) & (used[0] | used[1])) == 0)
#define NONE_LOST                                                              \
	((zone | list[0] | list[1] | used[0] | used[1] | moving[0] |           \
	  moving[1]) == ALL)

inline lock(l)
{
	atomic { l == 0 -> l = 1 }
}

inline unlock(l)
{
	l = 0
}

/* Any member of set, or PAGES if it is empty */
inline pick(set, page)
{
	page = 0;
	do
	:: page < PAGES && !(set & BIT(page)) -> page++
	:: page < PAGES && (set & BIT(page)) && (set >> (page + 1)) -> page++
	:: else -> break
	od
}

/* list_del() there, list_add() here: read, then write. */
inline take(set, page)
{
	seen = set;
	pick(seen, page);
	if
	:: page < PAGES ->
		atomic { set = seen & ~BIT(page); moving[me] = moving[me] | BIT(page) }
	:: else
	fi
}

inline put(set, page)
{
	seen = set;
	atomic { set = seen | BIT(page); moving[me] = moving[me] & ~BIT(page) }
}

inline count(set, n)
{
	n = (set & 1) + (set >> 1 & 1) + (set >> 2 & 1) + (set >> 3 & 1)
}

/* rmqueue_bulk(): up to BATCH pages */
inline refill()
{
	if
	:: BUG != 4 -> lock(zone_lock)
	:: else
	fi;
	n = 0;
	do
	:: n < BATCH ->
		take(zone, p);
		if
		:: p < PAGES -> put(list[me], p); n++
		:: else -> break
		fi
	:: else -> break
	od;
	if
	:: BUG != 4 -> unlock(zone_lock)
	:: else
	fi
}

/* free_pcppages_bulk(): all of list[whose] */
inline drain_list(whose)
{
	do
	:: list[whose] != 0 ->
		take(list[whose], p);
		if
		:: p < PAGES -> put(zone, p)
		:: else
		fi
	:: else -> break
	od
}

/* rmm_rmqueue_pcplist(), else rmqueue_buddy() */
inline alloc()
{
	p = PAGES;
	if
	:: atomic { pcp_lock[me] == 0 -> pcp_lock[me] = 1 };
		if
		:: list[me] == 0 -> refill()
		:: else
		fi;
		take(list[me], p);
		unlock(pcp_lock[me])
	:: pcp_lock[me] != 0
	fi;
	if
	:: p == PAGES -> lock(zone_lock); take(zone, p); unlock(zone_lock)
	:: else
	fi;
	if
	:: p < PAGES -> put(used[me], p)
	:: else
	fi
}

/* rmm_free_unref_page(), else free_one_page() */
inline free_page()
{
	take(used[me], p);
	if
	:: p == PAGES
	:: p < PAGES && pcp_lock[me] != 0 && BUG != 3 ->
		lock(zone_lock); put(zone, p); unlock(zone_lock)
	:: p < PAGES && pcp_lock[me] != 0 && BUG == 3 -> put(list[me], p)
	:: atomic { p < PAGES && pcp_lock[me] == 0 -> pcp_lock[me] = 1 };
		put(list[me], p);
		count(list[me], n);
		if
		:: n > HIGH -> lock(zone_lock); drain_list(me); unlock(zone_lock)
		:: else
		fi;
		unlock(pcp_lock[me])
	fi
}

/* drain_pages_zone() for each CPU: waits for the lock */
inline drain_all()
{
	whose = 0;
	do
	:: whose < 2 ->
		if
		:: BUG == 2 -> lock(zone_lock); lock(pcp_lock[whose])
		:: BUG == 1 -> lock(zone_lock)
		:: else -> lock(pcp_lock[whose]); lock(zone_lock)
		fi;
		drain_list(whose);
		unlock(zone_lock);
		if
		:: BUG != 1 -> unlock(pcp_lock[whose])
		:: else
		fi;
		whose++
	:: else -> break
	od;
	whose = 0
}

proctype cpu(byte me)
{
	byte p, seen, n, whose;
end:
	do
	:: alloc(); p = 0; seen = 0; n = 0
	:: used[me] != 0 -> free_page(); p = 0; seen = 0; n = 0
	:: drain_all(); p = 0; seen = 0; n = 0
	od
}

init {
	atomic { run cpu(0); run cpu(1) }
end:
	do
	:: atomic { !(ONE_PLACE && NONE_LOST) -> assert(false) }
	od
}
