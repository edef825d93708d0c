package model

import (
	"slices"
	"strings"
)

// Names, by splitting them into words. This is a second opinion: package message goes byte by byte.

// ValidBinding applies R1.16 to a name to bind to, or what an original Ksock may (F50). The limit on its length is checked
// elsewhere (R1.19).
func ValidBinding(name string, original bool) bool {
	words := strings.Split(name, ".")
	if len(words) < 2 || words[0] != "$" {
		return false
	}
	words = words[1:]
	if isWildcard(words[len(words)-1]) {
		words = words[:len(words)-1]
	}
	letters := alphanumeric + "_-"
	if original {
		letters = alphanumeric
	}
	return !slices.ContainsFunc(words, func(w string) bool { return w == "" || strings.Trim(w, letters) != "" })
}

// ValidName applies R1.20 to the name of a message to send.
func ValidName(name string, original bool) bool {
	words := strings.Split(name, ".")
	return ValidBinding(name, original) && !isWildcard(words[len(words)-1])
}

// ASCII (F1). strings.Trim leaves nothing of a word that has nothing else.
const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func isWildcard(word string) bool { return word == "*" || word == "%" }

// matches says whether a valid binding matches the valid name of a message (R1.22, R1.23).
func matches(binding, name string) bool {
	bound, sent := strings.Split(binding, "."), strings.Split(name, ".")
	switch last := len(bound) - 1; bound[last] {
	case "*":
		return len(sent) > last && slices.Equal(sent[:last], bound[:last])
	case "%":
		return len(sent) == last+1 && slices.Equal(sent[:last], bound[:last])
	}
	return slices.Equal(sent, bound)
}

// betterThan says whether a replier binding is more specific than another that matches the same name: exact beats `%`,
// which beats `*` (R1.27), and in one class the longer one wins (F2).
func betterThan(x, y string) bool {
	if class(x) != class(y) {
		return class(x) > class(y)
	}
	return len(x) > len(y)
}

func class(binding string) int {
	switch {
	case strings.HasSuffix(binding, "*"):
		return 0
	case strings.HasSuffix(binding, "%"):
		return 1
	}
	return 2
}
