package main

import (
	"regexp"
	"strings"
)

// help is what a program says to --help, taken apart. All of ours say it in one form: what it is; a line that begins with
// "usage:"; what else there is to say; commands and flags in lines that begin with blanks; examples behind "Examples:" or
// in a block of their own.
type help struct {
	usage    string
	about    []string // paragraphs
	commands []string
	flags    []flag
	examples []string // lines
	more     []string // paragraphs behind the flags
}

type flag struct{ name, text string }

var (
	flagLine    = regexp.MustCompile(`^ +(-[-\w]+(?:, --[-\w]+)?(?: [A-Za-z]+)?)(?:  +(.*))?$`)
	narrowLine  = regexp.MustCompile(`^ +(--[-\w]+) (\S.*)$`) // of a flag as long as the column is wide
	commandLine = regexp.MustCompile(`^  ([a-z]+) +\S`)
)

func parseHelp(text string) help {
	var h help
	inherited := false
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(block, "\n")
		switch first := lines[0]; {
		case strings.HasPrefix(first, "usage: "):
			h.usage = strings.TrimPrefix(first, "usage: ")
		case first == "Examples:":
		case strings.HasPrefix(first, "Flags of every command:"):
			inherited = true // the page says them once
		case strings.HasPrefix(first, "Flags:"), flagLine.MatchString(first):
			h.addFlags(lines)
		case strings.HasSuffix(first, ":") && len(lines) > 1 && commandLine.MatchString(lines[1]):
			for _, line := range lines[1:] {
				if m := commandLine.FindStringSubmatch(line); m != nil {
					h.commands = append(h.commands, m[1])
				}
			}
		case strings.HasPrefix(first, "  "):
			for _, line := range lines {
				h.examples = append(h.examples, strings.TrimPrefix(line, "  "))
			}
		case strings.HasSuffix(block, "COMMAND tells more of each."):
		case len(h.flags) > 0 || inherited:
			h.more = append(h.more, block)
		default:
			h.about = append(h.about, block)
		}
	}
	return h
}

func (h *help) addFlags(lines []string) {
	for _, line := range lines {
		m := flagLine.FindStringSubmatch(line)
		if m == nil {
			m = narrowLine.FindStringSubmatch(line)
		}
		switch {
		case m != nil && m[1] != "-h, --help":
			h.flags = append(h.flags, flag{m[1], m[2]})
		case m == nil && len(h.flags) > 0 && line != "Flags:":
			h.flags[len(h.flags)-1].text += " " + strings.TrimSpace(line)
		}
	}
}
