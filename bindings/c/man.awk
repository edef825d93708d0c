# Makes the manual pages, section 3, of the comments in a header: one for each function, whose comment stands right before
# it. awk -v header=kbus/kbus.h -v dir=OUT -f man.awk include/kbus/kbus.h

function roff(text)
{
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	return text
}

function page(comment, code,    name, file, sentence, rest, end)
{
	sub(/^KBUS_API /, "", code)
	sub(/^static inline /, "", code)
	sub(/ *\{.*$/, ";", code)
	gsub(/[ \t]+/, " ", code)
	if (!match(code, /[a-z_A-Z0-9]+\(/))
		return
	name = substr(code, RSTART, RLENGTH - 1)
	file = dir "/" name ".3"
	end = match(comment, /[.:]( |$)/)
	sentence = substr(comment, 1, end - 1)
	sub(/\.$/, "", comment)
	printf ".TH %s 3 \"\" \"KBUS\" \"KBUS from C\"\n", toupper(name) > file
	printf ".SH NAME\n%s \\- %s\n", name, roff(tolower(substr(sentence, 1, 1)) substr(sentence, 2)) > file
	printf ".SH SYNOPSIS\n.nf\n.B #include <%s>\n.PP\n.fi\n.B %s\n", header, roff(code) > file
	printf ".SH DESCRIPTION\n%s.\n", roff(comment) > file
	printf ".SH CONVENTIONS\n%s\n", roff(conventions) > file
	printf ".SH SEE ALSO\nThe header\n.I %s\nhas all functions together.\n", header > file
	close(file)
	pages++
}

# The comment at the top says what holds for all functions.
/^\/\*/ { text = ""; inside = 1 }
inside {
	line = $0
	sub(/^\/\* ?/, "", line)
	sub(/^ \* ?/, "", line)
	ended = sub(/ ?\*\/ *$/, "", line)
	if (line == "" && !ended)
		text = text "\n.PP\n"
	else
		text = text (text ~ /[^\n]$/ ? " " : "") line
	if (ended) {
		inside = 0
		if (conventions == "")
			conventions = text
		last = NR
	}
	next
}
/^(KBUS_API|static inline) / {
	code = ""
	gathering = 1
	comment = last == NR - 1 ? text : ""
}
gathering {
	code = code (code == "" ? "" : " ") $0
	if ($0 ~ /[;{}]/) {
		gathering = 0
		if (comment != "")
			page(comment, code)
		else if (code !~ /_ptr\(/)
			missing = missing " " code
	}
}
END {
	if (missing != "" || pages == 0) {
		print header ": without a comment:" missing > "/dev/stderr"
		exit 1
	}
}
