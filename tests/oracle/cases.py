"""The table: what each case holds, and the C that declares it. The last type declared is tested."""

CASES = {
    "integers": {
        "every width and sign": """
            struct integers {
                char c; signed char sc; unsigned char uc; short s; unsigned short us;
                int i; unsigned u; long l; unsigned long ul; long long ll; unsigned long long ull;
            };""",
        "128 bits": "struct wide { char before; __int128 i; unsigned __int128 u; char after; };",
        "128 bits, packed": """
            struct __attribute__((packed)) wide_packed {
                char c; __int128 i; unsigned __int128 u;
            };""",
        "an array of 128 bits": """
            struct wides { int n; unsigned __int128 u[2]; __int128 i[2][2]; };""",
        "bool": "struct flag { _Bool on; int i; _Bool off; };",
        "float and double": "struct floats { float f; double d; float g[3]; double h[2][2]; };",
        "a bare integer": "typedef unsigned long long bare_t;",
        "a bare array": "typedef short bare_array_t[3][2];",
        "a chain of typedefs": """
            typedef unsigned int u32_; typedef u32_ pid_t_; typedef const pid_t_ tgid_t_;
            struct chain { tgid_t_ tgid; volatile pid_t_ pid; u32_ uid[2]; };""",
        "const and volatile": """
            struct inner_cv { const int a; volatile long b; };
            struct cv { const struct inner_cv c; volatile const char d; const char e[3]; };""",
    },
    "structs": {
        "padding": "struct padded { char c; long l; short s; };",
        "nested": """
            struct point { short x; long y; };
            struct nested { char c; struct point p; struct { int a; struct point q; } r; };""",
        "a type used twice": """
            struct both { int a; char b; };
            struct twice { struct both x; struct both y[2]; struct { struct both z; } w; };""",
        "anonymous": "struct anonymous { int a; struct { char b; struct { long c; }; }; int d; };",
        "a typedef of an anonymous type": """
            typedef struct { int a; char b; } event_t; typedef event_t events_t[2];
            typedef struct { event_t e; events_t es; const event_t ces[2][1]; } holder_t;""",
        "packed": """
            struct __attribute__((packed)) packed {
                char a; int b; short c; long d[2]; double e;
            };""",
        "packed in one that is not": """
            struct part { char a; int b; } __attribute__((packed));
            struct packed_in { char c; struct part p; struct part q[2]; int d; };""",
        "one that is not in a packed one": """
            struct whole { char a; int b; };
            struct packed_out { char c; struct whole w; short s; } __attribute__((packed));""",
        "packed to two bytes": """
            #pragma pack(push, 2)
            struct pack_2 { char a; int b; long c; char d; };
            #pragma pack(pop)""",
        "over-aligned": "struct over { char a; int b; } __attribute__((aligned(64)));",
        "over-aligned members": """
            struct members {
                char a; int b __attribute__((aligned(16))); char c; char d __attribute__((aligned));
            };""",
        "over-aligned in an array": """
            struct cell { char c; } __attribute__((aligned(8)));
            struct cells { struct cell x[3]; };""",
        "empty": "struct empty { };",
        "an empty one inside": """
            struct nothing { }; union nothing_too { };
            struct empties {
                int a; struct nothing b; union nothing_too c; struct nothing d[2]; struct { };
                union { }; int e;
            };""",
        "members without bytes": """
            struct no_bytes { int a; char b[0]; struct { int d[0]; } c; int e; };""",
        "more members than fit one call": """
            struct many {
                int a[30]; short b[30]; char c; struct { int d[40]; long e[30]; } f;
            };""",
        "deep": """
            struct d1 { char a; }; struct d2 { struct d1 b; short c; };
            struct d3 { struct d2 d[2]; };
            struct deep { struct d3 e[2]; struct { struct { struct { struct d3 f; }; } g; }; };""",
    },
    "unions": {
        "every member": """
            union every {
                char c; short s; int i; long l; float f; double d; void *p; _Bool b;
                unsigned __int128 w; char text[5]; unsigned char raw[3]; int many[2];
            };""",
        "in a struct": "struct has_union { int kind; union { int i; double d; char t[3]; } u; };",
        "anonymous": """
            struct has_anonymous {
                char kind; union { long l; char b[12]; }; union { short s; };
            };""",
        "a struct in an anonymous one": """
            struct two_deep {
                union { struct { int a; union { int b; float c; }; }; long d; }; int e;
            };""",
        "an anonymous one in one": """
            union in_union { int a; union { char b; long c; }; struct { int d, e; }; };""",
        "an array of them": """
            union one { int a; short b[3]; };
            struct unions { char c; union one u[3]; };""",
        "structs in one": """
            struct v4 { unsigned addr; unsigned short port; };
            struct v6 { unsigned char addr[16]; };
            union address { struct v4 v4; struct v6 v6; struct v4 pair[2]; };""",
        "packed": "union __attribute__((packed)) packed_union { char a; int b; short c[3]; };",
        "packed in a struct": """
            struct __attribute__((packed)) off {
                char a; union { int b; long c; }; union { short d; } e;
            };""",
        "empty": "union empty_union { };",
        "over-aligned": "union over_union { char a; short b; } __attribute__((aligned(32)));",
    },
    "bitfields": {
        "adjacent": "struct adjacent { unsigned a : 3, b : 5, c : 1, d : 23; };",
        "straddling a storage unit": "struct straddling { unsigned a : 20, b : 20, c : 20; };",
        "straddling bytes": "struct bytes { unsigned long a : 7, b : 31, c : 3, d : 23; };",
        "zero width": "struct zero { int a : 3; int : 0; int b : 5; char : 0; int c : 2; };",
        "unnamed": "struct unnamed { unsigned a : 3; unsigned : 7; unsigned b : 5; long : 40; };",
        "signed": """
            struct negative {
                int a : 3; long b : 33; short c : 9; signed char d : 7; int e : 1;
            };""",
        "bool": "struct bools { _Bool a : 1, b : 1; int c : 4; _Bool d : 1; };",
        "enum": """
            enum color { RED, GREEN, BLUE = 6 };
            struct colors { enum color a : 3, b : 4; int c; };""",
        "signed enum": """
            enum sign { MINUS = -1, PLUS = 1 };
            struct signs { enum sign a : 2, b : 5; };""",
        "every type": """
            struct of_all {
                char a : 5; unsigned char b : 6; short c : 11; unsigned short d : 9; int e : 17;
                unsigned f : 29; long g : 45; unsigned long h : 61;
            };""",
        "full width": """
            struct full {
                unsigned char a : 8; int b : 32; unsigned long c : 64; short d : 16;
            };""",
        "64 bits": """
            struct big { unsigned long a : 1; unsigned long b : 63; long c : 63; long d : 1; };""",
        "128 bits": "struct huge { unsigned __int128 a : 70, b : 50; __int128 c : 100; };",
        "packed": """
            struct __attribute__((packed)) packed_bits {
                int a : 3; long b : 40; int c : 30; char d;
            };""",
        "packed, across bytes": """
            struct __attribute__((packed)) across {
                char a; unsigned b : 31; unsigned long c : 62; short d : 13; _Bool e : 1;
            };""",
        "after chars": "struct after { char a; int b : 12; char c; char d; unsigned e : 10; };",
        "before chars": "struct before { int a : 4; char b; int c : 12; short d; };",
        "in a union": """
            union bit_union { unsigned a : 3; int b : 17; unsigned long c : 50; char d; };""",
        "in an anonymous struct of a union": """
            struct flags {
                union { unsigned char all; struct { unsigned char a : 1, b : 3, c : 4; }; };
            };""",
        "in a nested struct": """
            struct bits { unsigned a : 3; int b : 5; };
            struct bits_in { char c; struct bits d, e[2]; };""",
        "in an anonymous struct": """
            struct bits_of { int a : 3; struct { int b : 5; unsigned c : 9; }; };""",
        "aligned": """
            struct aligned_bits {
                int a : 3; int b : 5 __attribute__((aligned(4))); int c : 7;
            };""",
    },
    "arrays": {
        "many dimensions": """
            struct matrix { int a[2][3][4]; char b[2][3]; unsigned char c[3][2][2]; };""",
        "of structs": """
            struct item { char a; int b[2]; };
            struct items { struct item x[3]; struct item y[2][2]; };""",
        "of anonymous structs": "struct rows { struct { short a; char b; } x[2], y; };",
        "of enums": """
            enum size { SMALL, LARGE = 9 };
            struct sizes { enum size a[4]; enum size b[2][2]; };""",
        "of bools": "struct switches { _Bool a[5]; _Bool b[2][3]; };",
        "of chars": """
            struct texts {
                char a[1]; char b[16]; signed char c[3]; unsigned char d[3]; char e[2][8];
            };""",
        "of pointers": """
            struct pointers { char *a[3]; int (*b[2])(int); void **c[1][2]; int (*d)[4]; };""",
        "of one": "struct single { int a[1]; char b[1]; struct { int c; } d[1]; _Bool e[1][1]; };",
        "of 100": "struct hundred { char c; int a[100]; };",
        "of 1000": """
            struct thousand { short a[1000]; struct { int b; char c; } d[100]; _Bool e[1000]; };""",
        "of typedefs of arrays": """
            typedef char name_t[4]; typedef name_t names_t[2];
            struct named { names_t a[2]; name_t b; };""",
        "flexible, of char": "struct flex_char { int n; char text[]; };",
        "flexible, of u8": "struct flex_u8 { int n; char c; unsigned char data[]; };",
        "flexible, of int": "struct flex_int { long n; int data[]; };",
        "flexible, of structs": """
            struct entry { char a; short b; };
            struct flex_struct { long n; char c; struct entry data[]; };""",
        "flexible, of arrays": "struct flex_rows { int n; short rows[][2]; };",
        "flexible, packed": "struct __attribute__((packed)) flex_packed { char n; int data[]; };",
        "flexible, within the padding": "struct flex_padding { long n; char c; char data[]; };",
        "flexible, in the way of GNU": "struct flex_zero { int n; unsigned data[0]; };",
        "flexible, in another struct": """
            struct flex_in { int n; short d[]; };
            struct flex_out { struct flex_in a; };""",
    },
    "enums": {
        "unsigned": """
            enum plain { ZERO, ONE, MANY = 0x80000000 };
            struct has_plain { enum plain a; char b; };""",
        "negative": """
            enum below { BELOW = -2, ABOVE = 3 };
            struct has_below { char a; enum below b; };""",
        "anonymous": "struct has_unnamed { enum { FIRST, SECOND } a; enum { LAST = -7 } b[2]; };",
        "a typedef of an anonymous one": """
            typedef enum { NO, YES } answer_t;
            struct answers { answer_t a; };""",
        "packed": """
            enum tiny { TINY = 3 } __attribute__((packed));
            struct has_tiny { enum tiny a, b[3]; };""",
        "of 64 bits": """
            enum large { LARGEST = 1ull << 40 };
            struct has_large { char a; enum large b; };""",
        "of 64 bits and a sign": """
            enum low { LOWEST = -1, HIGH = 1ll << 40 };
            struct has_low { enum low a[2]; };""",
        "of 64 bits, up to the last": """
            enum last { LAST_OF_64 = 1ull << 63, FIRST_OF_64 = 1 };
            struct has_last { char a; enum last b, c : 64; enum last d : 63; };""",
        "the last of 32 bits": """
            enum top { TOP = 4294967295 };
            struct has_top { char a; enum top b; enum top c : 32; };""",
        "far below zero": """
            enum far { FAR = -100000 };
            struct has_far { enum far a[2]; enum far b : 18; };""",
        "the least of 32 bits": """
            enum least { LEAST = -0x7fffffff - 1, MOST = 0x7fffffff };
            union has_least { enum least a; enum least b : 32; };""",
        "packed, and negative": """
            enum below_one { ONE_BYTE = -100 } __attribute__((packed));
            enum below_two { TWO_BYTES = -30000 } __attribute__((packed));
            struct has_packed { enum below_one a; enum below_two b, c[2]; };""",
        "bare": "enum bare_enum { BARE, BARER };",
        "two names of one value": """
            enum alias { ORIGINAL = 1, ALIAS = 1 };
            struct has_alias { enum alias a; };""",
    },
    "pointers": {
        "to anything": """
            struct point_at; struct target { int a; };
            typedef int (*callback_t)(struct target *, int);
            struct points {
                void *a; const char *b; struct target *c; struct point_at *d; callback_t e;
                int (*f)(void); volatile int *const g; struct target **h;
            };""",
        "to itself": "struct list { struct list *next, *prev; int value; };",
        "to each other": """
            struct there; struct here { struct there *t; };
            struct there { struct here h; };""",
        "to what is only declared": """
            struct declared; union declared_too;
            struct to { struct declared *a; union declared_too *b; };""",
        "packed": "struct __attribute__((packed)) packed_pointer { char a; void *b; };",
    },
    "names": {
        "Python's keywords": """
            struct keywords { int class, None, lambda; struct { int None; } d; };""",
        "our own methods": "struct methods { int pack, pack_into, unpack_from, SIZE, dtype; };",
        "Python's types": """
            struct builtin {
                unsigned char bytes[2]; int tuple[2]; char str[3]; int bool; float int_;
            };""",
        "Python's decorators": """
            struct decorators { int property, classmethod, object; short rt; };""",
        "leading underscores": "struct dunder { int __x, _y, __init__, _values; };",
        "ours and Python's in a union": """
            union named_so { int pack; short SIZE; char bytes[3]; float property; };""",
        "in an anonymous union": "struct named_in { union { int class; short dtype; }; int str; };",
        "what generated code uses": """
            struct used { int v, self, cls, buffer, offset, struct_, v_; char value[2]; };""",
        "what we call anonymous members": """
            struct taken { int anonymous_1; union { int a; char b; }; };""",
        "differing in case": "struct cases { int Value, value, VALUE; };",
        "three types of one name": """
            struct same_name { int a; }; union Same_name { int b; short c; };
            enum SameName { SAME }; typedef struct { int d; } same_name_t;
            struct same_names {
                struct same_name a; union Same_name b; enum SameName c; same_name_t d;
            };""",
        "of generated classes": "struct Objects { int a; }; struct objects { struct Objects b; };",
    },
}  # fmt: skip
"""The cases by what they are about. Each name stands for itself within its own part."""
