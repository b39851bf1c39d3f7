package gvariant

// node is a part of a text that stands for a value.
type node struct {
	kind       nodeKind
	start, end int
	// text is a number as written, a string or bytes without escapes, or the
	// type of a typed node.
	text string
	// kids are elements, members, keys and values by turns, or what is in a
	// variant, a maybe or a typed node.
	kids []*node
}

type nodeKind byte

const (
	nodeNumber nodeKind = iota
	nodeString
	nodeBytes
	nodeBool
	nodeArray
	nodeTuple
	nodeDict
	nodeEntry
	nodeVariant
	nodeMaybe
	nodeTyped
)

// keywords are the types that a text names with a word.
var keywords = map[string]string{
	"boolean": "b", "byte": "y", "int16": "n", "uint16": "q", "int32": "i", "uint32": "u", "handle": "h",
	"int64": "x", "uint64": "t", "double": "d", "string": "s", "objectpath": "o", "signature": "g",
}

// node reads one value, with values in it depth levels deep at most.
func (p *textParser) node(depth int) (*node, error) {
	token := p.scan()
	start := p.at
	if depth == 0 {
		return nil, textError(start, start, "variant nested too deeply")
	}
	n, err := p.byToken(token, depth-1)
	if err != nil {
		return nil, err
	}
	n.start, n.end = start, p.end
	return n, nil
}

// byToken reads a value that starts with token.
func (p *textParser) byToken(token string, depth int) (*node, error) {
	if token == "" {
		return nil, textError(p.at, p.at, "expected value")
	}
	switch c := token[0]; {
	case c == '[':
		return p.array(depth)
	case c == '(':
		return p.tuple(depth)
	case c == '<':
		return p.variant(depth)
	case c == '{':
		return p.dict(depth)
	case token == "true" || token == "false":
		p.take()
		return &node{kind: nodeBool, text: token}, nil
	case isDigit(c) || c == '-' || c == '+' || c == '.' || token == "inf" || token == "nan":
		p.take()
		return &node{kind: nodeNumber, text: token}, nil
	case c == 'n' || c == 'j':
		return p.maybe(depth)
	case c == '@':
		return p.typed(depth)
	case c == '\'' || c == '"':
		return p.quoted(nodeString)
	case len(token) > 1 && c == 'b' && (token[1] == '\'' || token[1] == '"'):
		return p.quoted(nodeBytes)
	case len(token) > 1 && isAlpha(token[0]) && isAlpha(token[1]):
		return p.typed(depth)
	}
	return nil, textError(p.at, p.at, "expected value")
}

func (p *textParser) array(depth int) (*node, error) {
	p.take()
	n := &node{kind: nodeArray}
	for !p.accept("]") {
		if len(n.kids) > 0 {
			if err := p.require(",", "',' or ']' to follow array element"); err != nil {
				return nil, err
			}
		}
		if err := p.into(n, depth); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (p *textParser) tuple(depth int) (*node, error) {
	p.take()
	n := &node{kind: nodeTuple}
	for !p.accept(")") {
		if len(n.kids) > 1 {
			if err := p.require(",", "',' or ')' to follow tuple element"); err != nil {
				return nil, err
			}
		}
		if err := p.into(n, depth); err != nil {
			return nil, err
		}
		if len(n.kids) == 1 { // the comma that makes it a tuple
			if err := p.require(",", "',' after first tuple element"); err != nil {
				return nil, err
			}
		}
	}
	return n, nil
}

func (p *textParser) variant(depth int) (*node, error) {
	p.take()
	n := &node{kind: nodeVariant}
	if err := p.into(n, depth); err != nil {
		return nil, err
	}
	return n, p.require(">", "'>' to follow variant value")
}

// dict reads {'a': 1, …}, or {'a', 1}, which is one entry.
func (p *textParser) dict(depth int) (*node, error) {
	p.take()
	n := &node{kind: nodeDict}
	colon := "':' or ',' to follow dictionary entry key"
	for !p.accept("}") {
		if len(n.kids) > 0 {
			if err := p.require(",", "',' or '}' to follow dictionary entry"); err != nil {
				return nil, err
			}
			colon = "':' to follow dictionary entry key"
		}
		if err := p.into(n, depth); err != nil {
			return nil, err
		}
		if len(n.kids) == 1 && p.accept(",") {
			n.kind = nodeEntry
			if err := p.into(n, depth); err != nil {
				return nil, err
			}
			return n, p.require("}", "'}' at end of dictionary entry")
		}
		if err := p.require(":", colon); err != nil {
			return nil, err
		}
		if err := p.into(n, depth); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (p *textParser) maybe(depth int) (*node, error) {
	n := &node{kind: nodeMaybe}
	switch {
	case p.accept("nothing"):
		return n, nil
	case p.accept("just"):
		return n, p.into(n, depth)
	}
	return nil, p.fail("unknown keyword")
}

// typed reads a value behind the name of its type.
func (p *textParser) typed(depth int) (*node, error) {
	token := p.scan()
	typ, known := keywords[token]
	if token[0] == '@' {
		typ = token[1:]
		if reason := refuseType(typ, depth+1); reason != "" {
			return nil, p.fail(reason)
		}
	} else if !known {
		return nil, p.fail("unknown keyword")
	}
	p.take()
	n := &node{kind: nodeTyped, text: typ}
	return n, p.into(n, depth)
}

// into reads a value and makes it n's next child.
func (p *textParser) into(n *node, depth int) error {
	kid, err := p.node(depth)
	n.kids = append(n.kids, kid)
	return err
}
