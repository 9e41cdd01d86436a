"""The sentences that many toy stories share; ``toy_reader.py`` says how a rule is read."""

from __future__ import annotations

RULES = {
    "story": """
        14: {child_story}
        3: {pair_story}
        3: {beast_story}
        1: {long_story}
        2: {tiny_story}
    """,
    "child_plot": """
        {lost_toy}
        {stuck_high}
        {broken_thing}
        {big_fear}
        {too_many_sweets}
        {hurt_animal}
        {hard_skill}
        {rule_at_home}
        {new_child}
        {a_gift}
        {the_seed}
        {lost_child}
        {the_mess}
        {rainy_day}
        {cooking}
    """,
    "pair_plot": """
        {one_toy_for_two}
        {find_together}
        {the_bet}
        {the_hut}
    """,
    "beast_plot": """
        {small_helps_big}
        {lazy_and_winter}
        {the_race}
        {wants_to_be_other}
        {beast_shares}
    """,
    "tiny_plot": """
        {one_day} {hero} found {a looks} {treasures} {finds}. {He} gave it to {his} {elders}. {happy_hero}
        {one_day} {hero} met {a finders} {places.at}. "[Hello|Hi|Good morning]," said {hero}. They played {games} [until dark|all day|in the sun].
        {one_day} {hero} went to {places} with {his} {elders}. They ate {sweets} and saw {a sights}. {happy_hero}
        {one_day} {hero} helped {his} {elder=elders} [cook {dishes}|bake {sweets}|plant {a seeds}]. "[Well done|Good job|You are a big help]!" {his} {elder} said. {home}
        {weather_line} {hero} [ran outside|jumped out of bed|put on {his} {colors} boots] and wanted to {hobbies}. But first {he} had to [eat {snacks}|brush {his} teeth|find {his} {treasures}]. {happy_hero}
    """,
    "opening": """
        6: Once upon a time, there was
        2: Once there was
        1: In a small town, there lived
        1: Long ago, there lived
        1: In a house by the sea lived
        1: Not far from here, there was
    """,
    "size": """
        4: little
        1: young
        1: small
    """,
    "new_hero": """
        {opening} a {size} girl named {hero=girls}.
        {opening} a {size} boy named {hero=boys}.
    """,
    "any_child": """
        {hero=girls}
        {hero=boys}
    """,
    "friend": """
        {pal=girls}
        {pal=boys}
    """,
    "child_intro": """
        {new_hero}
        3: {new_hero} {about_hero}
        2: {new_hero} {about_hero} {more_about_hero}
        1: {new_hero} {more_about_hero}
        1: {any_child} was a {size} {hero.kind} who lived {dwelling}.
        1: {any_child} was a {size} {hero.kind} who lived {dwelling_place}. {about_hero}
        1: This is the story of {any_child}, a {size} {hero.kind} who lived {dwelling}.
        1: {any_child} was {a traits} {hero.kind}. {more_about_hero}
    """,
    "dwelling_place": """
        near a [forest|lake|big city|mill]
        in a [village|valley|big city|small town]
        on a [farm|hill|boat|long street]
    """,
    "dwelling": """
        3: {dwelling_place}
        in a [small house|tall tower|cottage|red barn] with {a colors} [door|roof|fence]
        with {his} [mom|dad|grandma|grandpa] and a {pets}
    """,
    "about_hero": """
        {He} loved to {hobbies}.
        {He} loved to {hobby=hobbies} and {hobbies}.
        {He} liked to {hobbies} with {his} [mom|dad|friends|sister|brother|cousin].
        {He} was a very {traits} {hero.kind}.
        {He} was {trait=traits} and {traits}, and everyone liked {him}.
        Every {times}, {he} would {hobbies}.
        {He} lived with {his} [mom and dad|mom|dad|aunt|uncle] in {a colors} house.
        {He} had {a pets} named {pet_names}.
        {He} had {hair} hair and a {size} {pets} named {pet_names}.
        {He} was [three|four|five|six|seven] years old.
    """,
    "more_about_hero": """
        {Hero} also liked to eat {sweets}.
        {Hero} always wore {a colors} {clothes}.
        {His} favorite toy was {a looks} {toys}.
        {His} favorite color was {colors}.
        In {his} pocket, {he} always had {a colors} [stone|string|pencil|shell].
        {His} best friend was [called {any_pal}|{any_pal} from next door].
        {Hero} was good at [running|drawing|counting|singing|telling stories], too.
        Everybody in [town|the street|school] knew {him}.
    """,
    "any_pal": """
        {girls}
        {boys}
    """,
    "one_day": """
        5: One day,
        2: One {weather} {times},
        1: One {times} in [spring|summer|autumn|winter],
        1: Then one {times},
        1: On a {weather} {times},
        1: One {times} after [lunch|school|breakfast|a nap],
        1: Last [Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday],
    """,
    "weather_line": """
        The sun was [shining|warm|high in the sky].
        The sky was [blue|grey|full of clouds].
        The wind [blew softly|was strong|played with the leaves].
        The birds [were singing|sat in the trees|flew over the roofs].
        It was a {weather} day.
        The air smelled of [flowers|rain|grass|snow|{sweets}].
        There was [a rainbow in the sky|snow on the ground|not a cloud in the sky].
    """,
    "sad_hero": """
        2: {Hero} was [very |so |]{sorry}.
        {Hero} felt {sorry} and [began to cry|wanted to cry|sat down|looked at the ground].
        A [big |]tear ran down {his} [cheek|nose].
        {Hero} did not know what to [do|say|think].
        "Oh no!" {hero} [cried|said|shouted].
        "Oh no, oh no!" said {hero}. {He} was {sorry}.
        {Hero}'s eyes [filled with tears|were wet].
        {Hero} [sighed|frowned|shook {his} head|put {his} face in {his} hands].
        "[Why me|What now|What can I do]?" {hero} asked.
        This made {hero} feel {sorry}.
    """,
    "happy_hero": """
        2: {Hero} was [very |so |]{glad}.
        {Hero} [smiled|laughed|clapped|jumped up and down|danced with joy].
        {Hero} had a [big |]smile on {his} face.
        "[Hooray|Yay|Wow|Yes]!" {hero} [cried|said|shouted].
        {Hero} felt warm and {glad} inside.
        {Hero}'s [heart|face] was full of joy.
        How {glad} {hero} was!
        {Hero} could not stop [smiling|laughing|talking about it].
        Now {hero} was {glad} [again|and not {sorry} any more].
    """,
    "meanwhile": """
        "I wish [I had more luck|I were bigger|it were yesterday|somebody would come]," {he} thought.
        {He} thought about it [for a long time|all night|over and over].
        {He} walked [up and down|around in circles|to the window and back].
        Even the [sun|birds|clouds|trees] seemed {sorry}.
        {Hero} wanted [a hug|to go home|to be alone|some {sweets}].
        Nobody [said a word|noticed it|knew about it].
        It was [very quiet|a hard moment|not easy].
    """,
    "pause": """
        For a while, nobody [said a word|moved|knew what to do].
        It was [very quiet|a hard moment|not easy].
        [A bird|A crow|An old cow] [looked on|saw it all|shook its head].
        What [now|a pity|a bad day]!
    """,
    "afterwards": """
        The next day, {he} told {his} [teacher|friends|class|neighbor] what had happened.
        A week later, {hero} met a [boy|girl] who had the same [problem|trouble|question], and {he} knew just what to say.
        And do you know what {he} did the next day? {He} went to {places} and thought about it all the way!
        {Hero} never forgot that {times}.
        Later, {hero} wrote it all down in {a colors} book.
        "What a [day|week|story]!" said {hero} and [yawned|laughed|ate {snacks}].
        Then {hero} and {his} [mom|dad|friends|cousins] played {games} and ate {sweets}.
    """,
    "thanks": """
        "Thank you!" said {hero}.
        "Thank you so much," {hero} said[ with a smile|].
        {hero} said, "[Thank you for your help|You are very kind|You saved the day|You are a true friend]!"
        {hero} said thank you [again and again|with all {his} heart|and bowed].
    """,
    "welcome": """
        "You are welcome," said [the {beast}|the kind {beast}].
        "[I am happy to help|That is what friends are for|It was nothing]," said the {beast}.
        The {beast} just [smiled|nodded|winked].
    """,
    "kind_words": """
        "Don't [worry|cry|be sad]," said {his} {elder}. "{comfort}"
        {His} {elder} [hugged|kissed|smiled at] {him} and said, "{comfort}"
        {His} {elder} said [softly|kindly|gently], "{comfort}"
    """,
    "comfort": """
        We will find a way.
        It will be all right.
        I am here with you.
        Everyone feels like that sometimes.
        I love you very much.
    """,
    "home": """
        Back home, {hero} got {treats}.
        That night, {hero} [slept well|had a sweet dream|dreamed of {a colors} {treasures}].
        At home, {hero} [drew a picture of it|had {snacks}|told {his} {pets} about it].
        At bedtime, {hero} told [the whole story|all about it] to {his} [teddy|pillow|dad|mom|grandma].
    """,
    "learned": """
        3: {hero} learned that
        1: From that day on, {hero} knew that
        1: Now {hero} knew that
        1: And so {hero} found out that
        1: The moral of the story is that
    """,
    "the_end": """
        3: And they all lived happily ever after.
        2: The end.
        1: It was [the best|a wonderful|a very good|a happy] day.
    """,
}
