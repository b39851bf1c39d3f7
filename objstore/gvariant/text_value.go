package gvariant

import "fmt"

// resolve finds the node's type by itself and makes its value.
func (n *node) resolve() (Value, error) {
	pattern, err := n.pattern()
	if err != nil {
		return Value{}, err
	}
	typ, err := settle(pattern)
	if err != nil {
		return Value{}, textError(n.start, n.end, err.Error())
	}
	if len(typ) > maxVariantType {
		return Value{}, fmt.Errorf("a type of %d bytes, more than %d", len(typ), maxVariantType)
	}
	return n.value(typ)
}

// value makes the node a value of type typ, wrapped in maybes where typ has
// them and the text does not.
func (n *node) value(typ string) (Value, error) {
	if n.kind == nodeTyped {
		return n.kids[0].value(typ)
	}
	if n.kind == nodeMaybe {
		return n.maybeValue(typ)
	}
	if typ[0] == 'm' {
		v, err := n.value(typ[1:])
		return newMaybe(v), err
	}
	switch {
	case n.kind == nodeNumber:
		return n.number(typ)
	case n.kind == nodeString:
		return n.stringValue(typ)
	case n.kind == nodeBytes && typ == "ay":
		return NewBytes(append([]byte(n.text), 0)), nil
	case n.kind == nodeBool && typ == "b":
		return NewBool(n.text == "true"), nil
	case n.kind == nodeVariant && typ == "v":
		v, err := n.kids[0].resolve()
		return NewVariant(v), err
	case n.kind == nodeTuple && typ[0] == '(':
		return n.tupleValue(typ)
	case n.kind == nodeArray && typ[0] == 'a':
		return n.arrayValue(typ[1:])
	case n.kind == nodeDict && typ[0] == 'a' && typ[1] == '{':
		return n.dictValue(typ[1:])
	case n.kind == nodeEntry && typ[0] == '{':
		key, value := entryTypes(typ)
		return newEntryOf(n.kids[0], key, n.kids[1], value)
	}
	return Value{}, n.mismatch(typ)
}

// mismatch is the error of a node that is no typ.
func (n *node) mismatch(typ string) error {
	return textError(n.start, n.end, fmt.Sprintf("can not parse as value of type '%s'", typ))
}

func (n *node) maybeValue(typ string) (Value, error) {
	if typ[0] != 'm' {
		return Value{}, n.mismatch(typ)
	}
	if len(n.kids) == 0 {
		return Value{typ, nil}, nil
	}
	v, err := n.kids[0].value(typ[1:])
	return newMaybe(v), err
}

// newMaybe wraps a value in a maybe that holds it.
func newMaybe(v Value) Value {
	if v.typ == "" {
		return v
	}
	data := v.data
	if layoutOf(v.typ).size == 0 {
		data = append(append([]byte(nil), data...), 0)
	}
	return Value{"m" + v.typ, data}
}

// noText is what is wrong with a string that its type does not take.
var noText = map[string]string{"s": "not valid UTF-8", "o": "not a valid object path", "g": "not a valid signature"}

func (n *node) stringValue(typ string) (Value, error) {
	reason, ok := noText[typ]
	if !ok {
		return Value{}, n.mismatch(typ)
	}
	data := append([]byte(n.text), 0)
	if checkString(typ[0], data) != nil {
		return Value{}, textError(n.start, n.end, reason)
	}
	return Value{typ, data}, nil
}

func (n *node) tupleValue(typ string) (Value, error) {
	var values []Value
	sigs := members(typ)
	for _, kid := range n.kids {
		if sigs == "" {
			return Value{}, n.mismatch(typ)
		}
		var sig string
		sig, sigs = next(sigs)
		v, err := kid.value(sig)
		if err != nil {
			return Value{}, err
		}
		values = append(values, v)
	}
	if sigs != "" {
		return Value{}, n.mismatch(typ)
	}
	return NewTuple(values...), nil
}

func (n *node) arrayValue(elem string) (Value, error) {
	values := make([]Value, len(n.kids))
	for i, kid := range n.kids {
		var err error
		if values[i], err = kid.value(elem); err != nil {
			return Value{}, err
		}
	}
	return NewArray(elem, values...), nil
}

func (n *node) dictValue(entry string) (Value, error) {
	key, value := entryTypes(entry)
	entries := make([]Value, len(n.kids)/2)
	for i := range entries {
		var err error
		if entries[i], err = newEntryOf(n.kids[2*i], key, n.kids[2*i+1], value); err != nil {
			return Value{}, err
		}
	}
	return NewArray(entry, entries...), nil
}

// entryTypes splits the type of a dict entry.
func entryTypes(entry string) (key, value string) { return next(members(entry)) }

func newEntryOf(k *node, keyType string, v *node, valueType string) (Value, error) {
	key, err := k.value(keyType)
	if err != nil {
		return Value{}, err
	}
	value, err := v.value(valueType)
	if err != nil {
		return Value{}, err
	}
	return NewEntry(key, value), nil
}
