"""Small texts of our own in each language, with the functions that are in them."""

from __future__ import annotations

# Language: (text, (name, first line, last line) of each function and plain class).
FUNCTIONS: dict[str, tuple[str, list[tuple[str, int, int]]]] = {
    "c": (
        """#include <x.h>
#define F(x) { x }
static int
#ifdef A
foo(int a)
#else
foo(long a)
#endif
{
  if (a) {
#if B
    if (b) {
#else
    if (c) {
#endif
    }
  }
  return 1;
}
struct X { int a; };
int old(a,b)
int a; char *b;
{ return 1; }
void (*signal(int s, void (*f)(int)))(int) { return 0; }
int t[] = { 1, F(2), {3}};
""",
        [("foo", 7, 19), ("old", 21, 23), ("signal", 24, 24)],
    ),
    "cpp": (
        """namespace a { class Foo : public Bar {
public:
  Foo(int x) : a{1}, b(2) { go(); }
  ~Foo() {}
  bool operator==(const Foo& o) const noexcept { return true; }
  int get() const { return [](int x) { return x; }(1); }
  template<class T = int> void tt(T x) { }
}; }
int Foo::bar() { return 1; }
extern "C" { void c(void) { } }
""",
        [
            ("Foo", 3, 3),
            ("Foo", 4, 4),
            ("operator==", 5, 5),
            ("get", 6, 6),
            ("tt", 7, 7),
            ("bar", 9, 9),
            ("c", 10, 10),
        ],
    ),
    "python": (
        '''import os

class Plain:
    a = 1

    b = 2

@decorate(
    1,
)
async def outer(a,
b=(1,
)):
    """Text."""
    def inner():
        return 1
    return inner

class WithMethods(Base):
    x = 1
    @property
    @cached
    def m(self): return """
text
"""
    if x:
        def n(self):
            return [
1]
y = 1
''',
        [("Plain", 3, 6), ("outer", 8, 17), ("m", 21, 25), ("n", 27, 29)],
    ),
    "fortran": (
        """module m
  implicit none
  interface
    subroutine ext(a)
      real :: a
    end subroutine ext
  end interface
contains
  pure real(kind=8) function f(x) result(y)
    real(8), intent(in) :: x
    if (x > 0) then
      y = 1
    end if
  contains
    subroutine inner()
    end subroutine
  end function f
  subroutine s(a, b)
    do i = 1, 2
      call f(a)
    enddo
  end subroutine
end module
program main
  print *, 1
end
""",
        [("ext", 4, 6), ("f", 9, 17), ("s", 18, 22), ("main", 24, 26)],
    ),
    "fortran-fixed": (
        """      SUBROUTINE FOO(X)
      REAL X
      IF (X .GT. 0) THEN
        X = 1
      ENDIF
 10   CONTINUE
      END
      DOUBLE PRECISION FUNCTION BAR(Y)
      BAR = Y
      END
""",
        [("FOO", 1, 7), ("BAR", 8, 10)],
    ),
    "java": (
        """package a;
public class A<T> extends B implements C {
  private int x = 3;
  static { init(); }
  public A(int x) { super(x); }
  @Override @SuppressWarnings({"a", "b"})
  public <U> Map<U, T> get(final List<U> l) throws IOException {
    Runnable r = new Runnable() { public void run() { go(); } };
    if (x) { y(); }
    return null;
  }
  abstract int f(int x);
  record P(int a) { int g() { return a; } }
}
""",
        [("A", 5, 5), ("get", 6, 11), ("g", 13, 13)],
    ),
    "javascript": (
        """const a = require('x')
function foo(x) { return x }
const bar = async (a, b) => { return a }
let baz = x => { return x }
class K extends L { constructor(a) { super(a) } get v() { return 1 } async m(a, b) { return 2 } }
module.exports = { foo, qux: function (x) { return 1 }, meth(a) { if (a) { b() } } }
describe("x", function () { it("y", () => { z() }) })
""",
        [
            ("foo", 2, 2),
            ("bar", 3, 3),
            ("baz", 4, 4),
            ("constructor", 5, 5),
            ("v", 5, 5),
            ("m", 5, 5),
            ("qux", 6, 6),
            ("meth", 6, 6),
            ("", 7, 7),
        ],
    ),
    "typescript": (
        """export class A<T> {
  private x: number = 1;
  constructor(private y: string) {}
  get<U, V>(a: U, b: V): Map<U, V> { return new Map(); }
}
export function f<T>(x: T): T { return x }
const g = (x: number): number => { return x }
""",
        [("constructor", 3, 3), ("get", 4, 4), ("f", 6, 6), ("g", 7, 7)],
    ),
    "rust": (
        """use x::y;
#[inline]
pub fn foo<F>(f: F, a: [u8; 3]) -> Result<(), E> where F: Fn(u8) -> u8 { f(1); Ok(()) }
impl<T: Fn(u8)> A for B<T> { fn m(&self) -> u8 { match x { 1 => { 2 } _ => 3 } } }
trait T { fn decl(&self); fn def(&self) { } }
struct S { f: fn(u8) -> u8, b: u8 }
""",
        [("foo", 3, 3), ("m", 4, 4), ("def", 5, 5)],
    ),
    "go": (
        """package main
import "fmt"
type T struct { a int }
func (t *T) Name(a int) (int, error) {
	f := func(x int) int { return x }
	return f(a), nil
}
func g() interface{} { return 1 }
var h = func(a int) { g() }
""",
        [("Name", 4, 7), ("g", 8, 8), ("h", 9, 9)],
    ),
    "julia": (
        """module M
struct A
  x::Int
end
function foo(x::T; k=1) where {T}
  for i in 1:3
    if x[end] > 1 && (y = [z for z in x if z > 1]; true)
      return x[begin:end]
    end
  end
  map(x) do y
    y
  end
end
f(x) = x + 1
macro m(e)
  quote
    1
  end
end
end
""",
        [("foo", 5, 14), ("m", 16, 20)],
    ),
    "r": (
        """library(x)
foo <- function(a, b = c(1, 2)) {
  if (a) { b }
  sapply(a, function(x) { x })
}
bar = function(x) x + 1
setMethod("m", "A", function(x) {
  x
})
""",
        [("foo", 2, 5), ("", 7, 9)],
    ),
    "matlab": (
        """function [a, b] = foo(x)
  if x(end) > 1
    a = x(1:end);
  end
end
function bar()
  y = 1;
end
""",
        [("foo", 1, 5), ("bar", 6, 8)],
    ),
    "perl": (
        """package X;
use strict;
my %h = (a => { b => 1 });
sub foo { my ($x) = @_; return $h{$x}{b}; }
sub bar($$) {
  my @a = map { $_ + 1 } @{$_[0]};
  my $f = sub { 1 };
}
1;
""",
        [("foo", 4, 4), ("bar", 5, 8)],
    ),
    "kotlin": (
        """class A(val x: Int) : B(x) {
  fun f(a: Int): Int { return a }
  fun g() = 1
  override fun <T> h(a: T) where T : Any { if (a) { b() } }
}
""",
        [("f", 2, 2), ("h", 4, 4)],
    ),
    "csharp": (
        """namespace N { [Attr(1)] public class A : B {
  public int P { get { return 1; } set { x = value; } }
  public A(int x) : base(x) { y = 1; }
  public async Task<int> M<T>(T a) where T : class, new() { await F(); return 1; }
} }
""",
        [("A", 3, 3), ("M", 4, 4)],
    ),
    "swift": (
        """class A: B {
  var x: Int { return 1 }
  init(a: Int) { self.a = a }
  func f<T>(_ a: T) throws -> Int where T: X { return 1 }
}
""",
        [("init", 3, 3), ("f", 4, 4)],
    ),
    "php": (
        """<?php
class A { public function f($a) { return $a; } abstract function g($x); }
function h(array $x = []): int { return array_map(function ($y) use ($x) { return $y; }, $x); }
""",
        [("f", 2, 2), ("h", 3, 3)],
    ),
    "ruby": (
        """class A
  attr_reader :x
  def initialize(x)
    @x = x if x
  end
  def self.make = new(1)
  def each
    return 1 unless block_given?
    begin
      x
    rescue E
      y
    end
  rescue
    z
  end
  private def p; 1; end
end
""",
        [("initialize", 3, 5), ("make", 6, 6), ("each", 7, 16), ("p", 17, 17)],
    ),
    "shell": (
        """#!/bin/sh
x=${y:-1}
foo() {
  if [ "$1" ]; then echo "$1"; fi
}
function bar {
  echo ${x}
}
foo 1
""",
        [("foo", 3, 5), ("bar", 6, 8)],
    ),
    "lua": (
        """local M = {}
function M.foo(x)
  for i = 1, 2 do
    if x then y() elseif z then w() end
  end
  while true do break end
  repeat x = 1 until x
  return function(a) return a end
end
local function bar() end
M.baz = function(x) return x end
return M
""",
        [("M.foo", 2, 9), ("bar", 10, 10), ("baz", 11, 11)],
    ),
    "gap": (
        """InstallMethod( Foo, function( x )
  local y;
  if x then y := 1; fi;
  return function(z) return z; end;
end );
Bar := function( x ) return 1; end;
""",
        [("", 1, 5), ("Bar", 6, 6)],
    ),
    "cython": (
        """cdef class A:
    cdef int x
    cdef int f(self, int a) nogil:
        return a
    def g(self): return 1
cpdef double h(double x) except -1:
    cdef int i
    return x
cdef extern from "x.h":
    int foo(int)
""",
        [("f", 3, 4), ("g", 5, 5), ("h", 6, 8)],
    ),
    "objc": (
        """@implementation A
- (void)foo:(int)x bar:(int)y { [self go]; }
+ (id)make
{
  return nil;
}
static int f(void) { return 1; }
@end
""",
        [("foo", 2, 2), ("make", 3, 6), ("f", 7, 7)],
    ),
}
