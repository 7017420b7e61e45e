package javax.annotation;

// Java 8 had this annotation. The generated client names it, and the compiler has to find it.
public @interface Generated {
    String[] value();
    String date() default "";
    String comments() default "";
}
