package folder

import (
	"path/filepath"
	"strings"

	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/toml"
)

// What somebody expects rules to decide, in a file of the same form: [[expect]] in place of [[rule]], and who and what are
// those that ask. So whoever ships rules can have them tested where nobody is logged in.

// Expectation is one decision that is expected.
type Expectation struct {
	Position rules.Position
	Who      rules.Identity
	Question rules.Question
	Allow    bool
	Rule     string // file:line of the rule that decides, as its end; "": any
}

// Expectations is a file of them.
type Expectations struct {
	Rules string // where the rules are, as the file says; "": it does not
	List  []Expectation
}

var ofExpectations = grammar{table: "expect", keys: append([]string{"rule"}, ofRules.keys...)}

// somebody is a user and group that no rule is about, where an expectation names none.
const somebody = 1<<32 - 2

// ParseExpectations reads such a file. The error is Mistakes.
func ParseExpectations(f File, who Names) (*Expectations, error) {
	var all Expectations
	p := parsing{who: who, grammar: ofExpectations}
	p.grammar.top = func(path string) {
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(f.Name), path)
		}
		all.Rules = path
	}
	p.parse(f)
	for _, d := range p.drafts {
		for _, o := range d.Operations {
			if o.HasName() && len(d.Names) == 0 {
				p.mistakes.Add(toml.Position(d.Position), "%v is about a name: which one?", o)
			}
		}
		if len(d.Programs) > 1 || len(d.Units) > 1 {
			p.mistakes.Add(toml.Position(d.Position), "who asks has one program and is in one unit")
		}
		all.List = append(all.List, d.expectations()...)
	}
	if len(p.mistakes) > 0 {
		p.mistakes.Sort()
		return nil, p.mistakes
	}
	return &all, nil
}

// expectations are those of each user, operation and name.
func (d *draft) expectations() (list []Expectation) {
	users, names := d.Users, d.Names
	if len(users) == 0 {
		users = []uint32{somebody}
	}
	if len(names) == 0 {
		names = []string{""}
	}
	for _, user := range users {
		who := rules.Identity{UID: user, Groups: d.Groups}
		if len(d.Programs) > 0 {
			who.Program = d.Programs[0]
		}
		if len(d.Units) > 0 {
			who.Cgroup = CgroupOf(d.Units[0])
		}
		for _, o := range d.Operations {
			for _, n := range names {
				list = append(list, Expectation{d.Position, who, rules.Question{Operation: o, Name: n}, d.Allow, d.by})
			}
		}
	}
	return list
}

// CgroupOf is a control group of a unit.
func CgroupOf(unit string) string {
	if strings.HasPrefix(unit, "/") {
		return unit
	}
	return "/system.slice/" + unit
}

// Met says whether a decision is what was expected.
func (e *Expectation) Met(d rules.Decision) bool {
	if d.Allow != e.Allow {
		return false
	}
	return e.Rule == "" || d.Rule != nil && strings.HasSuffix("/"+d.Rule.Position.String(), "/"+e.Rule)
}
