package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/rules/folder"
	"kbus.example/kbus/internal/toml"
)

// kbus rules: are files of access rules right, and do they decide what somebody expects? It asks no daemon, so it works
// where rules are made.

// rulesDir is where a packaged kbusd has its rules.
const rulesDir = "/etc/kbus/rules.d"

// rulesFlags are those of commands that read rules.
type rulesFlags struct {
	dir       string
	elsewhere bool
}

func (f *rulesFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "rules", "", "directory of rules, or one file; "+rulesDir+" without it")
	c.Flags().BoolVar(&f.elsewhere, "elsewhere", false, "users and groups need not be known here")
	_ = c.MarkFlagDirname("rules")
}

func (f *rulesFlags) names() folder.Names {
	if f.elsewhere {
		return &folder.Elsewhere{}
	}
	return folder.Here{}
}

func rulesCommand(l *line) *cobra.Command {
	var f rulesFlags
	c := &cobra.Command{
		Use:   "rules check [DIR] | test FILE...",
		Short: "check access rules, and whether they decide what is expected",
		Long: `rules check reads access rules as kbusd does, and tells all mistakes in them, each with
file, line and column. rules test reads decisions that are expected ([[expect]] in
place of [[rule]]) and tells which of them the rules do not make. Both ask no daemon.`,
		Example: `kbus rules check rules.d
kbus rules check rules.d --elsewhere
kbus rules test expected.toml`,
		ValidArgs: []string{"check", "test"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) >= 1 && len(args) <= 2 && args[0] == "check":
				if len(args) == 2 {
					f.dir = args[1]
				}
				return checkRules(l, &f)
			case len(args) > 1 && args[0] == "test":
				return testRules(l, &f, args[1:])
			}
			return cli.Misused("write rules check or rules test FILE")
		},
	}
	f.register(c)
	return c
}

// load reads rules; dir is where they are if no flag says.
func (f *rulesFlags) load(dir string, who folder.Names) (*rules.Set, string, error) {
	if f.dir != "" {
		dir = f.dir
	}
	if dir == "" {
		dir = rulesDir
	}
	set, err := folder.Load(dir, who)
	return set, dir, err
}

type jsonMistake struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
}

// reportMistakes prints them, and gives the error that ends the command.
func (l *line) reportMistakes(err error, what string) error {
	var mistakes toml.Mistakes
	if !errors.As(err, &mistakes) {
		return err
	}
	for _, m := range mistakes {
		if l.JSON {
			if err := l.printJSON(jsonMistake{m.Position.File, m.Position.Line, m.Position.Column, m.Text}); err != nil {
				return err
			}
		} else {
			fmt.Fprintln(l.err, m)
		}
	}
	return &rulesError{fmt.Sprintf("%s in the %s", countOf(len(mistakes), "mistake"), what)}
}

// rulesError is what check and test end in.
type rulesError struct{ text string }

func (e *rulesError) Error() string { return e.text }
func (e *rulesError) Unwrap() error { return syscall.EINVAL }

func countOf(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func checkRules(l *line, f *rulesFlags) error {
	set, dir, err := f.load("", f.names())
	warnUnread(l, dir)
	if err != nil {
		return l.reportMistakes(err, "rules")
	}
	if !f.elsewhere {
		for _, doubt := range folder.Doubts(set) {
			warn(l, doubt)
		}
	}
	if l.JSON {
		return l.printJSON(struct {
			Path  string `json:"path"`
			Rules int    `json:"rules"`
		}{dir, len(set.Rules)})
	}
	count := countOf(len(set.Rules), "rule")
	if len(set.Rules) == 0 {
		count += ": nothing is denied"
	}
	_, err = fmt.Fprintf(l.out, "%s: %s\n", dir, count)
	return err
}

// warn writes a warning about a file as mistakes are written, but that it is none.
func warn(l *line, text string) {
	if l.JSON {
		l.note(text)
		return
	}
	fmt.Fprintln(l.err, text)
}

// warnUnread tells of the files in a directory of rules or services that are not read.
func warnUnread(l *line, dir string) {
	for _, name := range toml.Unread(dir) {
		warn(l, name+": "+toml.Why)
	}
}

// testRules compares what files expect with what the rules decide.
func testRules(l *line, f *rulesFlags, names []string) error {
	var files []folder.File
	for _, name := range names {
		more, err := toml.Read(name)
		if err != nil {
			return err
		}
		files = append(files, more...)
	}
	who := &folder.Elsewhere{} // a machine where rules are tested has few of their users
	met, failed := 0, 0
	for _, file := range files {
		expected, err := folder.ParseExpectations(file, who)
		if err != nil {
			return l.reportMistakes(err, "expectations")
		}
		if len(expected.List) == 0 {
			return &rulesError{"there is no [[expect]] in " + file.Name}
		}
		set, _, err := f.load(expected.Rules, who)
		if err != nil {
			return l.reportMistakes(err, "rules")
		}
		for i := range expected.List {
			e := &expected.List[i]
			d := set.Decide(&e.Who, e.Question)
			if len(set.Rules) == 0 {
				d.Allow = true
			}
			if e.Met(d) {
				met++
				continue
			}
			failed++
			if err := printUnmet(l, e, d); err != nil {
				return err
			}
		}
	}
	if failed > 0 {
		return &rulesError{fmt.Sprintf("of %s %d are not as expected", countOf(met+failed, "decision"), failed)}
	}
	if l.JSON {
		return l.printJSON(struct {
			Decisions int `json:"decisions"`
		}{met})
	}
	_, err := fmt.Fprintf(l.out, "%s, all as expected\n", countOf(met, "decision"))
	return err
}

type jsonUnmet struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	UID      uint32 `json:"uid"`
	Question string `json:"question"`
	Expected bool   `json:"expected"`
	Allowed  bool   `json:"allowed"`
	Why      string `json:"why"`
}

func printUnmet(l *line, e *folder.Expectation, d rules.Decision) error {
	if l.JSON {
		return l.printJSON(jsonUnmet{e.Position.File, e.Position.Line, e.Who.UID, e.Question.String(), e.Allow, d.Allow, d.Why(e.Question)})
	}
	want := "deny"
	if e.Allow {
		want = "allow"
	}
	if e.Rule != "" {
		want += " by " + e.Rule
	}
	_, err := fmt.Fprintf(l.out, "%v: expected %s, but %s\n", e.Position, want, strings.TrimSpace(d.Why(e.Question)))
	return err
}
