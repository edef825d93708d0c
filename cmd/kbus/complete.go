package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kbus"
	"kbus/cmd/kbus/errno"
)

// Completion asks the bus: the names that it can complete are those that somebody is bound to just now. Where there
// is no bus there is nothing to complete, and nobody is bothered with an error.

// wanted tells which bindings have names that make sense as an argument.
type wanted func(kbus.BindingInfo) bool

func boundNames(kbus.BindingInfo) bool { return true }
func messageNames(b kbus.BindingInfo) bool {
	return !strings.HasSuffix(b.Name, "*") && !strings.HasSuffix(b.Name, "%")
}
func replierNames(b kbus.BindingInfo) bool { return b.As == kbus.Replier && messageNames(b) }

// completeName completes the first argument.
func (l *line) completeName(want wanted) cobra.CompletionFunc {
	names := l.completeNames(want)
	return func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault // data may be a file
		}
		return names(c, args, begun)
	}
}

// completeNames completes every argument.
func (l *line) completeNames(want wanted) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		var names []string
		err := l.observed(func(o *kbus.Observer) error {
			list, err := o.Bindings()
			for _, b := range list {
				if want(b) && strings.HasPrefix(b.Name, begun) && !slices.Contains(args, b.Name) {
					names = append(names, b.Name)
				}
			}
			return err
		})
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		slices.Sort(names)
		return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
	}
}

func (l *line) completeBus(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var buses []string
	for _, b := range l.buses() {
		buses = append(buses, fmt.Sprint(b))
	}
	return buses, cobra.ShellCompDirectiveNoFileComp
}

func completeErrno(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, e := range errno.All() {
		names = append(names, e.Name+"\t"+e.Text)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
