package gvariant

import (
	"errors"
	"strings"
)

// A pattern is a type with what is not known yet left open: N is a number, S a
// string, * anything, and M before a part says that it may be wrapped in
// maybes.

// pattern tells what the node alone says of its type.
func (n *node) pattern() (string, error) {
	switch n.kind {
	case nodeNumber:
		if isDouble(n.text) {
			return "Md", nil
		}
		return "MN", nil
	case nodeString:
		return "MS", nil
	case nodeBytes:
		return "May", nil
	case nodeBool:
		return "Mb", nil
	case nodeVariant:
		return "Mv", nil
	case nodeTyped:
		return n.text, nil
	}
	return n.containerPattern()
}

func (n *node) containerPattern() (string, error) {
	if len(n.kids) == 0 {
		return map[nodeKind]string{nodeArray: "Ma*", nodeTuple: "M()", nodeDict: "Ma{**}", nodeMaybe: "m*"}[n.kind], nil
	}
	switch n.kind {
	case nodeArray:
		elem, err := commonPattern(n.kids)
		return "Ma" + elem, err
	case nodeMaybe:
		elem, err := n.kids[0].pattern()
		return "m" + elem, err
	case nodeTuple:
		return n.tuplePattern()
	}
	entry, err := n.entryPattern()
	if n.kind == nodeDict {
		return "Ma" + entry, err
	}
	return "M" + entry, err
}

func (n *node) tuplePattern() (string, error) {
	var all strings.Builder
	all.WriteString("M(")
	for _, kid := range n.kids {
		part, err := kid.pattern()
		if err != nil {
			return "", err
		}
		all.WriteString(part)
	}
	return all.String() + ")", nil
}

// entryPattern finds the pattern {KEY VALUE} of a dictionary or an entry. Of
// the values only the first tells, as in GLib.
func (n *node) entryPattern() (string, error) {
	var keys []*node
	for i := 0; i < len(n.kids); i += 2 {
		keys = append(keys, n.kids[i])
	}
	key, err := commonPattern(keys)
	if err != nil {
		return "", err
	}
	key = strings.TrimPrefix(key, "M")[:1]
	if key == "v" || key != "N" && key != "S" && basic[key[0]].align == 0 {
		return "", textError(n.start, n.end, "dictionary keys must have basic types")
	}
	value, err := n.kids[1].pattern()
	return "{" + key + value + "}", err
}

// commonPattern is the pattern that all nodes fit.
func commonPattern(nodes []*node) (string, error) {
	common, err := nodes[0].pattern()
	if err != nil {
		return "", err
	}
	for i, n := range nodes[1:] {
		p, err := n.pattern()
		if err != nil {
			return "", err
		}
		if p == common {
			continue
		}
		var ok bool
		if common, ok = coalesce(common, p); !ok {
			return "", disagreement(nodes[:i+2])
		}
	}
	return common, nil
}

// disagreement names the last of nodes, and the first that it does not agree
// with.
func disagreement(nodes []*node) error {
	last := nodes[len(nodes)-1]
	p, err := last.pattern()
	if err != nil {
		return err
	}
	other := nodes[0]
	for _, n := range nodes[:len(nodes)-1] {
		q, err := n.pattern()
		if err != nil {
			return err
		}
		if _, ok := coalesce(p, q); !ok {
			other = n
			break
		}
	}
	return &TextError{other.start, other.end, last.start, last.end, "unable to find a common type"}
}

// coalesce is the pattern of what fits both l and r.
func coalesce(l, r string) (string, bool) {
	var out strings.Builder
	for l != "" && r != "" {
		if l[0] == r[0] {
			out.WriteByte(l[0])
			l, r = l[1:], r[1:]
			continue
		}
		part, lrest, rrest, ok := meet(l, r)
		if !ok {
			part, rrest, lrest, ok = meet(r, l)
		}
		if !ok {
			return "", false
		}
		out.WriteString(part)
		l, r = lrest, rrest
	}
	return out.String(), l == "" && r == ""
}

// meet settles what two patterns start with where l leaves more open. It
// returns what both agree on and what is left of each.
func meet(l, r string) (part, lrest, rrest string, ok bool) {
	switch {
	case l[0] == '*' && r[0] != ')' && r[0] != '}':
		n := patternLen(r)
		return r[:n], l[1:], r[n:], true
	case l[0] == 'M' && r[0] == 'm':
		return "m", l, r[1:], true
	case l[0] == 'M' && r[0] != '*':
		return "", l[1:], r, true
	case l[0] == 'N' && strings.IndexByte("ynqiuxthd", r[0]) >= 0,
		l[0] == 'S' && strings.IndexByte("sog", r[0]) >= 0:
		return r[:1], l[1:], r[1:], true
	}
	return "", "", "", false
}

// patternLen is the length of the first complete part of a pattern.
func patternLen(p string) int {
	n := spanOf(p, func(c byte) bool { return c == 'a' || c == 'm' || c == 'M' })
	for depth := 0; n < len(p); {
		switch p[n] {
		case '(', '{':
			depth++
		case ')', '}':
			depth--
		}
		if n++; depth == 0 {
			break
		}
	}
	return n
}

// settle makes a type of a pattern: no maybe that is not needed, strings are s,
// numbers i.
func settle(pattern string) (typ string, err error) {
	if strings.IndexByte(pattern, '*') >= 0 {
		return "", errors.New("unable to infer type")
	}
	return strings.NewReplacer("M", "", "S", "s", "N", "i").Replace(pattern), nil
}

// refuseType tells what is wrong with a type that a text names, nothing if it
// is fine.
func refuseType(typ string, depth int) string {
	plain := strings.NewReplacer("r", "()", "*", "y", "?", "y").Replace(typ)
	switch {
	case !isType(plain, maxDepth+1):
		return "invalid type declaration"
	case !isType(plain, depth):
		return "type declaration recurses too deeply"
	case plain != typ:
		return "type declarations must be definite"
	}
	return ""
}

func isType(typ string, depth int) bool {
	rest, ok := skipType(typ, depth)
	return ok && rest == ""
}
