package scratch

import "testing"

// TestInt32s takes tables of the heap and others, which hold what is put there.
func TestInt32s(t *testing.T) {
	for _, n := range []int{0, 1, small, small + 1, 1 << 20} {
		table, free := Int32s(n)
		if len(table) != n || cap(table) != n {
			t.Errorf("%d numbers, want %d", len(table), n)
		}
		for i := range table {
			if table[i] != 0 {
				t.Fatalf("%d of %d is %d", i, n, table[i])
			}
			table[i] = int32(i)
		}
		free()
	}
}
