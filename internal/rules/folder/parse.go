package folder

import (
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/toml"
)

// From files to rules: which tables and keys there may be, and where a mistake stands.

// Parse finds the rules in files. The error is Mistakes.
func Parse(files []File, who Names) (*rules.Set, error) {
	set := &rules.Set{}
	var all Mistakes
	for _, f := range files {
		p := parsing{who: who, grammar: ofRules}
		p.parse(f)
		all = append(all, p.mistakes...)
		for _, d := range p.drafts {
			set.Rules = append(set.Rules, d.Rule)
		}
	}
	if n := len(set.Rules); n > mostRules {
		all.Add(toml.Position(set.Rules[mostRules].Position), "%d rules, %d are the most", n, mostRules)
	}
	if len(all) > 0 {
		return nil, all
	}
	return set, nil
}

// parsing is one file that is being read.
type parsing struct {
	who      Names
	grammar  grammar
	mistakes Mistakes
	drafts   []*draft
	rule     *draft // under way; nil: outside of rules
	skip     bool   // in a table that is refused already
}

// grammar is what may stand in a file.
type grammar struct {
	table string            // the name of its tables
	keys  []string          // in them
	top   func(path string) // takes the one key that may stand before them, rules; nil: none
}

var ofRules = grammar{table: "rule", keys: []string{"allow", "deny", "name", "user", "group", "program", "unit"}}

func (p *parsing) parse(f File) {
	var entries []toml.Entry
	entries, p.mistakes = toml.Parse(f)
	for i := range entries {
		p.entry(&entries[i])
	}
	p.endRule()
	p.mistakes.Sort()
}

func (p *parsing) entry(e *toml.Entry) {
	switch {
	case e.Header:
		p.header(e)
	case p.skip:
	case p.rule == nil && p.grammar.top != nil && e.Words[0] == "rules" && e.Value.Kind == toml.Text:
		p.grammar.top(e.Value.Text)
	case p.rule == nil:
		p.mistakes.Add(e.At, "%q stands outside of a [[%s]]", e.Key(), p.grammar.table)
	case len(e.Words) > 1:
		p.mistakes.Add(e.At, "unknown key %q", e.Key())
	default:
		p.keyValue(e.Words[0], e.At, e.Value)
	}
}

func (p *parsing) header(e *toml.Entry) {
	p.endRule()
	name, at := e.Key(), e.At
	p.skip = true
	switch {
	case name == p.grammar.table && e.Many:
		at.Column -= len("[[")
		p.rule, p.skip = &draft{Rule: rules.Rule{Position: rules.Position(at)}, keys: map[string]int{}}, false
	case name == p.grammar.table:
		p.mistakes.Add(at, "[%s] must be [[%[1]s]], with two brackets, for there can be several", name)
	default:
		p.mistakes.Add(at, "unknown table %q%s", name, toml.DidYouMean(name, p.grammar.table))
	}
}
