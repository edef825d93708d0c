package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/kbus/errno"
)

// Completion asks the bus: it completes the names that are bound just now. Where there is no bus there is nothing to
// complete, and no error either.

// wanted chooses the bindings whose names make sense as an argument.
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
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		var names []string
		err := l.observed(cmd, func(ctx context.Context, o *kbus.Observer) error {
			list, err := o.Bindings(ctx)
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
	for _, b := range l.Buses() {
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
