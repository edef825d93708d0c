package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/rules/folder"
	"kbus.example/kbus/message"
)

// kbus explain: may somebody do something, and which rule says so? It reads the files, not what a daemon has read of them.

// asked is who asks what.
type asked struct {
	rulesFlags
	user, program, unit string
	groups              []string
	names               [4]string // by operation
	plain               [9]bool
}

func explainCommand(l *line) *cobra.Command {
	var a asked
	c := &cobra.Command{
		Use:   "explain",
		Short: "tell whether access rules let somebody do something, and why",
		Long: `explain reads access rules and tells in words what they decide: which rule it is, which
it has beaten, and which are for somebody else. It asks no daemon: a daemon goes by
the files as they were when it read them last. Settings (administration, taps,
limpets, socket.mode) may forbid what rules allow.`,
		Example: `kbus explain --user 1001 --send '$.Door.Bell' --rules rules.d
kbus explain --reply '$.Door.Lock' --rules rules.d
kbus explain --user lamp --elsewhere --listen '$.Door.*' --rules rules.d`,
		Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := a.question(cmd)
			if err == nil {
				err = a.check(cmd)
			}
			if err != nil {
				return err
			}
			return explain(l, &a, q)
		},
	}
	a.register(c)
	c.Flags().StringVar(&a.user, "user", "", "who asks, a name or a number; you without it")
	c.Flags().StringSliceVar(&a.groups, "group", nil, "groups of who asks; those of the user without it")
	c.Flags().StringVar(&a.program, "program", "", "path of the program that asks")
	c.Flags().StringVar(&a.unit, "unit", "", "unit of systemd, or control group, of who asks")
	for o, doc := range map[rules.Operation]string{
		rules.Send: "send an Announcement", rules.Listen: "be a Listener: a name, or as a binding",
		rules.Request: "send a Request", rules.Reply: "be the Replier: a name, or as a binding",
	} {
		c.Flags().StringVar(&a.names[o], o.String(), "", doc)
	}
	for o, doc := range map[rules.Operation]string{
		rules.Open: "open a Ksock", rules.Tap: "see what the bus does", rules.Administer: "turn switches of the bus",
		rules.Limpet: "join the bus to others", rules.NewBus: "make a bus",
	} {
		c.Flags().BoolVar(&a.plain[o], o.String(), false, doc)
	}
	return c
}

// question is the one operation that the flags name.
func (a *asked) question(cmd *cobra.Command) (q rules.Question, err error) {
	given := 0
	for i, word := range rules.Operations() {
		o := rules.Operation(i)
		if !cmd.Flags().Changed(word) || !o.HasName() && !a.plain[o] {
			continue
		}
		given++
		if q.Operation = o; !o.HasName() {
			continue
		}
		q.Name = a.names[o]
		check := message.CheckName[string]
		if o == rules.Listen || o == rules.Reply {
			check = message.CheckBinding[string]
		}
		if c := check(q.Name); c != message.OK {
			return q, fmt.Errorf("%q: %w", q.Name, c)
		}
	}
	if given != 1 {
		return q, cli.Misused("name one operation, for instance --send '$.A'")
	}
	return q, nil
}

// check tells of an asker whom no rule could be about, as it would be told of in a file of rules.
func (a *asked) check(cmd *cobra.Command) error {
	for _, f := range []struct {
		flag, value string
		check       func(string) error
	}{
		{"user", a.user, func(text string) error {
			if text == "" {
				return errors.New("must be a name or a number, and is empty")
			}
			return nil
		}},
		{"program", a.program, folder.CheckProgram},
		{"unit", a.unit, func(text string) error {
			if text == "/" { // no unit: at the root of all control groups
				return nil
			}
			return folder.CheckUnit(text)
		}},
	} {
		if !cmd.Flags().Changed(f.flag) {
			continue
		}
		if err := f.check(f.value); err != nil {
			return cli.Misused("--" + f.flag + " " + err.Error())
		}
	}
	return nil
}

// identity is who asks.
func (a *asked) identity(names folder.Names) (who rules.Identity, err error) {
	who.Program = a.program
	if a.unit != "" {
		who.Cgroup = folder.CgroupOf(a.unit)
	}
	number := func(text string, find func(string) (uint32, error)) (uint32, error) {
		if n, err := strconv.ParseUint(text, 10, 32); err == nil && n != 1<<32-1 { // which is nobody's
			return uint32(n), nil
		}
		return find(text)
	}
	who.UID = uint32(os.Geteuid())
	if a.user != "" {
		if who.UID, err = number(a.user, names.User); err != nil {
			return who, err
		}
	}
	for _, g := range a.groups {
		n, err := number(g, names.Group)
		if err != nil {
			return who, err
		}
		who.Groups = append(who.Groups, n)
	}
	switch {
	case a.groups != nil:
	case a.user == "":
		who.Groups = ours()
	default:
		who.Groups = groupsOf(who.UID)
	}
	return who, nil
}

// ours are the groups of this process, as a daemon would see them: those of its user may be others.
func ours() []uint32 {
	groups := []uint32{uint32(os.Getegid())}
	more, _ := os.Getgroups()
	for _, g := range more {
		if g := uint32(g); !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	return groups
}

// groupsOf are the groups of a user as they are known here; none of one who is not.
func groupsOf(uid uint32) (groups []uint32) {
	u, err := user.LookupId(strconv.Itoa(int(uid)))
	if err != nil {
		return nil
	}
	ids, _ := u.GroupIds()
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			groups = append(groups, uint32(n))
		}
	}
	return groups
}

func explain(l *line, a *asked, q rules.Question) error {
	names := a.rulesFlags.names()
	set, dir, err := a.load("", names)
	switch {
	case errors.Is(err, fs.ErrNotExist) && a.dir == "":
		set = &rules.Set{}
	case err != nil:
		return l.reportMistakes(err, "rules")
	}
	who, err := a.identity(names)
	if err != nil {
		return err
	}
	e := set.Explain(&who, q)
	none := len(set.Rules) == 0
	if l.JSON {
		return l.printJSON(explanationJSON(&who, &e, none))
	}
	word, painted := "denied", red
	if e.Allow || none {
		word, painted = "allowed", green
	}
	p := paletteFor(l.out)
	fmt.Fprintf(l.out, "%s: %v\n  %v\n", p.paint(painted, word), q, &who)
	switch {
	case none:
		_, err = fmt.Fprintf(l.out, "  there are no rules in %s, so everything is allowed; other rules: --rules DIR\n", dir)
	case e.Rule == nil:
		_, err = fmt.Fprintln(l.out, "  no rule matches, and with rules what none allows is denied")
	default:
		_, err = fmt.Fprintf(l.out, "  the last rule that matches is %v:\n      %v\n", e.Rule.Position, e.Rule)
	}
	for _, r := range first(e.Beaten) {
		fmt.Fprintf(l.out, "  before it matches, and does not count, %v:\n      %v\n", r.Position, r)
	}
	for _, r := range first(e.Others) {
		fmt.Fprintf(l.out, "  does not match because of its %s, %v:\n      %v\n", r.Because, r.Position, r.Rule)
	}
	return err
}

// mostExplained is how many of the other rules are shown.
const mostExplained = 10

func first[T any](list []T) []T { return list[:min(len(list), mostExplained)] }

type jsonRule struct {
	Position string `json:"at"`
	Rule     string `json:"rule"`
	Because  string `json:"because,omitempty"`
}

type jsonExplanation struct {
	Allowed   bool       `json:"allowed"`
	Operation string     `json:"operation"`
	Name      string     `json:"name,omitempty"`
	Who       string     `json:"who"`
	Rule      *jsonRule  `json:"rule"` // null when none matches
	Beaten    []jsonRule `json:"beaten"`
	Others    []jsonRule `json:"others"`
}

func explanationJSON(who *rules.Identity, e *rules.Explanation, none bool) jsonExplanation {
	j := jsonExplanation{Allowed: e.Allow || none, Operation: e.Operation.String(), Name: e.Name, Who: who.String(),
		Beaten: []jsonRule{}, Others: []jsonRule{}}
	if e.Rule != nil {
		j.Rule = &jsonRule{Position: e.Rule.Position.String(), Rule: e.Rule.String()}
	}
	for _, r := range e.Beaten {
		j.Beaten = append(j.Beaten, jsonRule{Position: r.Position.String(), Rule: r.String()})
	}
	for _, r := range e.Others {
		j.Others = append(j.Others, jsonRule{Position: r.Position.String(), Rule: r.Rule.String(), Because: r.Because})
	}
	return j
}
