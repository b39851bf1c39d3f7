package facts

import "deployfs/objstore/gvariant"

// Dict is an a{sv} in JSON.
func Dict(v gvariant.Value) map[string]any {
	dict := make(map[string]any, v.Len())
	for i := range v.Len() {
		dict[v.At(i).At(0).Str()] = Value(v.At(i).At(1))
	}
	return dict
}

// Cut is a dictionary as [Dict] gives it, but for what makes more than limit bytes
// of GVariant: of such a value it tells the type and the size, of such a
// dictionary of more keys than that, nothing else.
func Cut(v gvariant.Value, limit int) map[string]any {
	if len(v.Bytes()) <= limit {
		return Dict(v)
	}
	const keyCost = 64 // bytes
	if v.Len() > limit/keyCost {
		return map[string]any{"": outline(v)}
	}
	dict := make(map[string]any, v.Len())
	for i := range v.Len() {
		value := v.At(i).At(1).Variant()
		if len(value.Bytes()) > limit/v.Len() {
			dict[v.At(i).At(0).Str()] = outline(value)
		} else {
			dict[v.At(i).At(0).Str()] = Value(value)
		}
	}
	return dict
}

// outline is what is told of a value that is too large.
func outline(v gvariant.Value) map[string]any {
	return map[string]any{"type": v.Type(), "bytes": len(v.Bytes())}
}

// Value is a GVariant in JSON: numbers in the byte order in which they are stored on this
// machine, strings, booleans, arrays and tuples as arrays, ay as base64, dictionaries with text
// keys as objects, nothing as null. What has no counterpart is GLib's text form.
func Value(v gvariant.Value) any {
	switch typ := v.Type(); {
	case typ == "v":
		return Value(v.Variant())
	case typ == "ay":
		return v.ByteString()
	case typ == "b":
		return v.Bool()
	case typ == "y":
		return v.Byte()
	case typ == "u":
		return v.Uint32()
	case typ == "t":
		return v.Uint64()
	case typ == "i":
		return int32(v.Uint32())
	case typ == "x":
		return int64(v.Uint64())
	case typ == "s", typ == "o", typ == "g":
		return v.Str()
	case typ == "a{sv}":
		return Dict(v)
	case typ[0] == 'm' && v.Len() == 0:
		return nil
	case typ[0] == 'm':
		return Value(v.At(0))
	case typ[0] == 'a', typ[0] == '(', typ[0] == '{':
		list := make([]any, v.Len())
		for i := range list {
			list[i] = Value(v.At(i))
		}
		return list
	}
	return gvariant.Print(v, true, false)
}
