use super::*;

#[test]
fn a_fault_happens_to_the_requests_that_it_is_for() {
    let request = |method: &str, path: &str| Request {
        method: method.to_owned(),
        path: path.to_owned(),
        ..Request::default()
    };
    let on = On::method("PATCH").path("/deployments/").skip(1);
    let mut planned = vec![Planned {
        on,
        fault: Fault::Stall,
        left: 2,
    }];
    let rows = [
        ("GET", "/deployments/web", None),
        ("PATCH", "/services/web", None),
        ("PATCH", "/deployments/web", None),
        ("PATCH", "/deployments/web", Some(Fault::Stall)),
        ("PATCH", "/deployments/web", Some(Fault::Stall)),
        ("PATCH", "/deployments/web", None),
    ];
    for (method, path, expected) in rows {
        assert_eq!(
            draw(&mut planned, &request(method, path)),
            expected,
            "{method} {path}"
        );
    }
    assert!(planned.is_empty());
}
