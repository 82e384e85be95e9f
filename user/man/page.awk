# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# page.awk - what `kmemlab help NAME` prints, as scdoc: so that manual and --help cannot
# disagree. -v name=NAME -v summary=TEXT -v version=V -v others="A B"

function escape(s) {
	gsub(/[\\_*#`~<>\[\]]/, "\\\\&", s)
	sub(/^[-.]/, "\\\\&", s) # else a list, or a macro
	return s
}

# "-n, --top=N" in bold up to the value
function option_head(s,   parts, n, i, out, at) {
	n = split(s, parts, /, /)
	for (i = 1; i <= n; i++) {
		at = index(parts[i], "=")
		out = out (i > 1 ? ", " : "") "*" \
			escape(at ? substr(parts[i], 1, at - 1) : parts[i]) "*" \
			(at ? "=" escape(substr(parts[i], at + 1)) : "")
	}
	return out
}

function end_option() {
	if (head != "")
		options = options option_head(head) "\n\t" escape(text) "\n\n"
	head = text = ""
}

BEGIN { part = "usage" }

part == "usage" && (/^Usage: / || /^ +or: /) {
	sub(/^(Usage: | +or: +)/, "")
	synopsis = synopsis (synopsis == "" ? "" : "++\n") "*kmemlab* " \
		escape(substr($0, index($0, " ") + 1)) "\n"
	next
}
part == "usage" { part = "before" }

part == "before" && /^ +-/ { part = "options" }
part == "before" { before = before escape($0) "\n"; next }

part == "options" && /^Mandatory or optional/ { end_option(); part = "skip"; next }
part == "options" && match($0, /^ +-/) && RLENGTH < 8 {
	end_option()
	sub(/^ +/, "")
	at = match($0, /  +/)
	head = at ? substr($0, 1, at - 1) : $0
	text = at ? substr($0, at + RLENGTH) : ""
	next
}
part == "options" {
	sub(/^ +/, "")
	if ($0 != "")
		text = text (text == "" ? "" : " ") $0
	next
}

part == "skip" && /^$/ { part = "after" }
part == "skip" { next }

/^Examples?:$/ { in_examples = 1; next }
in_examples && /^  / { examples = examples substr($0, 3) "\n"; next }
in_examples && /^$/ { in_examples = 0 }
in_examples { sub(/\n$/, " " $0 "\n", examples); next } # what argp has wrapped
/^Exit status/ { in_status = 1 }
in_status { status = status escape($0) "\n"; next }
# A list: "  word  text", and what argp has wrapped
/^  [a-z]/ {
	at = match(substr($0, 3), /  +/)
	after = after (in_list ? "" : "\n") "*" escape(at ? substr($0, 3, at - 1) : substr($0, 3)) "*\n\t" \
		escape(at ? substr($0, 2 + at + RLENGTH) : "") "\n"
	in_list = 1
	next
}
in_list && /^[a-z]/ { after = after "\t" escape($0) "\n"; next }
in_list && /./ { after = after "\n" }
{ in_list = 0 }
{ after = after escape($0) "\n" }

END {
	end_option()
	printf "kmemlab-%s(1) \"\" \"kmemlab %s\"\n\n", name, version
	printf "# NAME\n\nkmemlab-%s - %s\n\n# SYNOPSIS\n\n%s\n", name, escape(summary), synopsis
	printf "# DESCRIPTION\n\n%s%s\n", before, after
	if (options != "")
		printf "# OPTIONS\n\n%s", options
	if (examples != "")
		printf "# EXAMPLES\n\n```\n%s```\n\n", examples
	printf "# EXIT STATUS\n\n"
	printf "0 done, 1 failed, 2 usage, 3 no permission, 4 the kernel lacks it, 5 a trace is damaged\n"
	printf "(intact parts were used), 6 a *--fail-if* condition is met, 7 done but events were lost.\n\n"
	if (status != "")
		printf "%s\n", status
	printf "# SEE ALSO\n\n*kmemlab*(1)"
	n = split(others, other, / /)
	for (i = 1; i <= n; i++)
		if (other[i] != name)
			printf ", *kmemlab-%s*(1)", other[i]
	printf "\n"
}
