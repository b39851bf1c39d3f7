package object

// ModeText is a mode as ls(1) shows it, such as -rwsr-xr-x; a type that no object
// has is a question mark.
func ModeText(mode uint32) string {
	out := []byte("?rwxrwxrwx")
	switch mode & ModeType {
	case ModeDir:
		out[0] = 'd'
	case ModeRegular:
		out[0] = '-'
	case ModeSymlink:
		out[0] = 'l'
	}
	for i := range 9 {
		if mode&(1<<(8-i)) == 0 {
			out[i+1] = '-'
		}
	}
	for _, special := range []struct {
		bit  uint32
		at   int
		char byte
	}{{0o4000, 3, 's'}, {0o2000, 6, 's'}, {0o1000, 9, 't'}} {
		if mode&special.bit != 0 {
			if out[special.at] == '-' {
				special.char -= 'a' - 'A'
			}
			out[special.at] = special.char
		}
	}
	return string(out)
}
