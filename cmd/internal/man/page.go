package main

import (
	"fmt"
	"strings"
)

// section is one of a manual page, of one paragraph.
type section struct{ title, text string }

// write makes the page, in the macros of man(7).
func (p *page) write(whole help, commands []help, version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".\\\" made from %s --help\n.TH %s %s \"\" \"KBUS %s\" \"KBUS\"\n.nh\n.ad l\n", p.program,
		strings.ToUpper(roff(p.program)), p.section, roff(version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n", roff(p.program), roff(p.summary), roff(whole.usage))
	b.WriteString(".SH DESCRIPTION\n")
	paragraphs(&b, whole.about)
	paragraphs(&b, whole.more)
	writeFlags(&b, ".SH OPTIONS\n", whole.flags)
	if len(commands) > 0 {
		b.WriteString(".SH COMMANDS\n")
	}
	for _, c := range commands {
		fmt.Fprintf(&b, ".SS %s\n", roff(strings.TrimSuffix(c.usage, " [flags]")))
		paragraphs(&b, c.about)
		writeFlags(&b, "", c.flags)
		paragraphs(&b, c.more)
		examples(&b, c.examples)
	}
	if len(whole.examples) > 0 {
		b.WriteString(".SH EXAMPLES\n")
		examples(&b, whole.examples)
	}
	for _, s := range p.more {
		fmt.Fprintf(&b, ".SH %s\n%s\n", s.title, roff(s.text))
	}
	b.WriteString(".SH SEE ALSO\n" + seeAlso(p.seeAlso) + "\n")
	return b.String()
}

func paragraphs(b *strings.Builder, list []string) {
	for i, text := range list {
		if i > 0 || !afterTitle(b.String()) {
			b.WriteString(".PP\n")
		}
		b.WriteString(lines(text) + "\n")
	}
}

// afterTitle reports whether the last line is one, which begins a paragraph.
func afterTitle(page string) bool {
	last := page[strings.LastIndexByte(strings.TrimSuffix(page, "\n"), '\n')+1:]
	return strings.HasPrefix(last, ".SH ") || strings.HasPrefix(last, ".SS ")
}

func writeFlags(b *strings.Builder, title string, flags []flag) {
	if len(flags) > 0 {
		b.WriteString(title)
	}
	for _, f := range flags {
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(f.name), roff(f.text))
	}
}

func examples(b *strings.Builder, list []string) {
	if len(list) > 0 {
		if !afterTitle(b.String()) {
			b.WriteString(".PP\n")
		}
		b.WriteString(".nf\n.RS 4\n" + lines(strings.Join(list, "\n")) + "\n.RE\n.fi\n")
	}
}

func seeAlso(pages []string) string {
	var list []string
	for _, p := range pages {
		name, number, _ := strings.Cut(p, "(")
		list = append(list, fmt.Sprintf(".BR %s (%s", roff(name), number))
	}
	return strings.Join(list, " ,\n")
}

func lines(text string) string {
	list := strings.Split(text, "\n")
	for i := range list {
		list[i] = roff(list[i])
	}
	return strings.Join(list, "\n")
}

// roff writes a line of text so that it comes out as it is, and can be copied.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}
